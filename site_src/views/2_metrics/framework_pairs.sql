-- Every MLX configuration beside every llama.cpp one of the same machine, model and nominal bits, and what forbids to
-- compare them. Effective context need not be equal for speed, only long enough on both sides.
create or replace view framework_pairs as
with
configurations as (
    select
        configuration_id,
        any_value(machine) as machine,
        any_value(server) as server,
        any_value(endpoint) as endpoint,
        any_value(model) as model,
        any_value(runtime) as runtime,
        any_value(quantization) as quantization,
        any_value(bits) as bits,
        any_value(context_effective) as context_effective,
        any_value(parallel) as parallel,
        any_value(sampling) as sampling,
        bool_or(is_forced) as is_forced
    from stg_runs
    group by configuration_id
)
select
    mlx.machine,
    mlx.model,
    mlx.bits,
    mlx.configuration_id as mlx_configuration_id,
    llama.configuration_id as llama_cpp_configuration_id,
    mlx.quantization as mlx_quantization,
    llama.quantization as llama_cpp_quantization,
    mlx.context_effective as mlx_context,
    llama.context_effective as llama_cpp_context,
    nullif(concat_ws(
        '; ',
        if(mlx.server is distinct from 'lmstudio' or llama.server is distinct from 'lmstudio', 'not both through LM Studio', null),
        if(mlx.endpoint is distinct from llama.endpoint, 'different endpoints', null),
        if(mlx.sampling is distinct from llama.sampling, 'different sampling', null),
        if(mlx.context_effective < 131072 or llama.context_effective < 131072, 'context below 131,072', null),
        if(mlx.parallel != llama.parallel, mlx.parallel || ' slots against ' || llama.parallel, null)
    ), '') as obstacle,
    nullif(concat_ws(
        '; ',
        if(mlx.parallel is null or llama.parallel is null, 'slots unknown on one side', null),
        if(mlx.context_effective is null or llama.context_effective is null, 'context unknown on one side', null),
        if(mlx.is_forced or llama.is_forced, 'a check had failed', null)
    ), '') as caveat
from configurations as mlx
inner join configurations as llama
    on llama.machine = mlx.machine and llama.model = mlx.model and llama.bits = mlx.bits
where mlx.runtime = 'mlx' and llama.runtime = 'llama.cpp';

comment on view framework_pairs is 'One row per MLX and llama.cpp configuration of one machine, model and bit width.';
comment on column framework_pairs.machine is 'Chip, GPU cores, memory.';
comment on column framework_pairs.model is 'The model.';
comment on column framework_pairs.bits is 'Nominal bits per weight, equal on both sides.';
comment on column framework_pairs.mlx_configuration_id is 'The MLX side.';
comment on column framework_pairs.llama_cpp_configuration_id is 'The llama.cpp side.';
comment on column framework_pairs.mlx_quantization is 'Quantization of the MLX side.';
comment on column framework_pairs.llama_cpp_quantization is 'Quantization of the llama.cpp side.';
comment on column framework_pairs.mlx_context is 'Effective context of the MLX side, tokens.';
comment on column framework_pairs.llama_cpp_context is 'Effective context of the llama.cpp side, tokens.';
comment on column framework_pairs.obstacle is 'Why the two are not comparable; NULL if they are.';
comment on column framework_pairs.caveat is 'What is unknown about their being alike.';
