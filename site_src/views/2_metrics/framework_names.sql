-- Which pair of MLX and llama.cpp it is, in few words that no other pair of the machine has; and by what programs the two
-- were served, for a figure taken through another harness is another figure.
create or replace view framework_names as
with
spelled as (
    select
        pairs.a_id, pairs.b_id, pairs.obstacle, mlx.machine, mlx.is_ladder,
        format('{} {} / {}', mlx.model, mlx.quantization, llama.quantization) as short_name,
        if(
            mlx.suite is not distinct from llama.suite, mlx.suite,
            format('{} / {}', coalesce(mlx.suite, 'unknown'), coalesce(llama.suite, 'unknown'))
        ) as suites,
        if(
            mlx.context_effective is not distinct from llama.context_effective, format('{:,}', mlx.context_effective),
            format(
                '{} / {}', coalesce(format('{:,}', mlx.context_effective), 'unknown'),
                coalesce(format('{:,}', llama.context_effective), 'unknown')
            )
        ) || ' tokens' as contexts,
        coalesce(mlx.server, 'an unknown server') as mlx_server,
        coalesce(llama.server, 'an unknown server') as llama_cpp_server
    from pairs
    inner join configurations as mlx on mlx.configuration_id = pairs.a_configuration_id
    inner join configurations as llama on llama.configuration_id = pairs.b_configuration_id
    where pairs.kind = 'framework'
),
counted as (
    select
        *,
        concat_ws(' · ', short_name, suites, contexts) as long_name,
        count(*) over (partition by machine, is_ladder, short_name) as same_name_count
    from spelled
)
select
    a_id, b_id,
    if(same_name_count = 1, short_name, long_name || if(place = 1, '', format(' ({})', place))) as pair,
    obstacle,
    case
        when mlx_server != llama_cpp_server then format('harness differs: {} against {}', mlx_server, llama_cpp_server)
        when mlx_server != 'lmstudio' then format('harness is {}, not LM Studio', mlx_server)
    end as harness_reason
from (select *, row_number() over (partition by machine, is_ladder, long_name order by a_id, b_id) as place from counted);

comment on view framework_names is 'One row per pair of MLX and llama.cpp of the same machine, model and bits, speed and ladders alike.';
comment on column framework_names.a_id is 'Configuration on the MLX side.';
comment on column framework_names.b_id is 'Configuration on the llama.cpp side.';
comment on column framework_names.pair is 'Model and both quantizations; with suite and context where several pairs share these.';
comment on column framework_names.obstacle is 'What forbids any comparison; NULL where nothing does.';
comment on column framework_names.harness_reason is 'Why their harness makes them not comparable; NULL where both were measured through LM Studio.';
