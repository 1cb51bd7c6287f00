-- Speed through pair_speed; memory and load time only where the context is the same, and memory only of one kind.
create or replace view framework_delta as
with
sides as (
    select
        run_summary.*,
        file_gb * 8 / stg_weights.parameters_total_b as file_bits_per_weight
    from run_summary
    left join (select distinct model, parameters_total_b from stg_models) as stg_weights using (model)
),
beside as (
    select
        pairs.obstacle,
        pairs.caveat,
        pairs.memory_obstacle as context_obstacle,
        coalesce(
            pairs.memory_obstacle,
            if(mlx.peak_memory_kind != llama.peak_memory_kind, 'memory was read in two ways', null)
        ) as memory_obstacle,
        mlx,
        llama,
        pair_speed
    from pairs
    inner join sides as mlx on mlx.configuration_id = pairs.a_id
    inner join sides as llama on llama.configuration_id = pairs.b_id
    left join pair_speed on pair_speed.a_id = pairs.a_id and pair_speed.b_id = pairs.b_id
    where pairs.kind = 'framework'
)
select
    mlx.machine,
    mlx.model,
    mlx.bits,
    mlx.quantization as mlx_quantization,
    llama.quantization as llama_cpp_quantization,
    mlx.file_bits_per_weight as mlx_file_bits_per_weight,
    llama.file_bits_per_weight as llama_cpp_file_bits_per_weight,
    mlx.context_effective as mlx_context,
    llama.context_effective as llama_cpp_context,
    mlx.configuration_id as mlx_configuration_id,
    llama.configuration_id as llama_cpp_configuration_id,
    coalesce(pair_speed.prompt_count, 0) as prompt_count,
    coalesce(pair_speed.request_count, 0) as request_count,
    mlx.decode_tps as mlx_decode_tps,
    llama.decode_tps as llama_cpp_decode_tps,
    exp(pair_speed.decode) as decode_tps_ratio,
    exp(pair_speed.decode - pair_speed.decode_margin) as decode_tps_ratio_low,
    exp(pair_speed.decode + pair_speed.decode_margin) as decode_tps_ratio_high,
    exp(pair_speed.ttft) as ttft_ms_ratio,
    exp(pair_speed.ttft - pair_speed.ttft_margin) as ttft_ms_ratio_low,
    exp(pair_speed.ttft + pair_speed.ttft_margin) as ttft_ms_ratio_high,
    pair_speed.detectable as detectable_difference,
    case pair_speed.verdict
        when 'a faster' then 'MLX faster'
        when 'b faster' then 'llama.cpp faster'
        else coalesce(pair_speed.verdict, 'not comparable')
    end as verdict,
    if(
        pair_speed.prompt_count > 0, ratio_verdict(pair_speed.ttft, pair_speed.ttft_margin, 'MLX later', 'llama.cpp later'),
        'not comparable'
    ) as ttft_verdict,
    mlx.peak_memory_gb as mlx_peak_memory_gb,
    llama.peak_memory_gb as llama_cpp_peak_memory_gb,
    if(obstacle is null and memory_obstacle is null, mlx.peak_memory_gb - llama.peak_memory_gb, null)
        as peak_memory_difference_gb,
    if(obstacle is null and memory_obstacle is null, mlx.peak_memory_gb / llama.peak_memory_gb, null) as peak_memory_ratio,
    mlx.load_s as mlx_load_s,
    llama.load_s as llama_cpp_load_s,
    if(obstacle is null and context_obstacle is null, mlx.load_s / llama.load_s, null) as load_s_ratio,
    least(mlx.peak_memory_count, llama.peak_memory_count) as memory_run_count,
    least(mlx.load_count, llama.load_count) as load_run_count,
    case
        when obstacle is not null then obstacle
        when memory_obstacle is not null then memory_obstacle
        when mlx.peak_memory_gb is null or llama.peak_memory_gb is null then 'no peak memory on one side'
    end as memory_reason,
    nullif(concat_ws(
        '; ',
        obstacle,
        if(obstacle is null and pair_speed is null, 'no prompt with a decode speed on both sides', null),
        pair_speed.reason,
        caveat
    ), '') as reason
from beside
order by mlx.machine, mlx.model, mlx.bits, llama.quantization, mlx.configuration_id, llama.configuration_id;

comment on view framework_delta is 'One row per MLX and llama.cpp configuration of one machine, model and bit width: ratios, MLX over llama.cpp, with a verdict.';
comment on column framework_delta.machine is 'Chip, GPU cores, memory.';
comment on column framework_delta.model is 'The model.';
comment on column framework_delta.bits is 'Nominal bits per weight, equal on both sides.';
comment on column framework_delta.mlx_quantization is 'Quantization of the MLX side.';
comment on column framework_delta.llama_cpp_quantization is 'Quantization of the llama.cpp side.';
comment on column framework_delta.mlx_file_bits_per_weight is 'Bits on disk for each weight, MLX.';
comment on column framework_delta.llama_cpp_file_bits_per_weight is 'Bits on disk for each weight, llama.cpp.';
comment on column framework_delta.mlx_context is 'Effective context of the MLX side, tokens.';
comment on column framework_delta.llama_cpp_context is 'Effective context of the llama.cpp side, tokens.';
comment on column framework_delta.mlx_configuration_id is 'The MLX side.';
comment on column framework_delta.llama_cpp_configuration_id is 'The llama.cpp side.';
comment on column framework_delta.prompt_count is 'Prompts that both sides have with a decode speed.';
comment on column framework_delta.request_count is 'Requests of both sides behind the ratio.';
comment on column framework_delta.mlx_decode_tps is 'Decode speed of the MLX side over all its prompts, tokens/s.';
comment on column framework_delta.llama_cpp_decode_tps is 'Likewise of the llama.cpp side.';
comment on column framework_delta.decode_tps_ratio is 'Decode speed, MLX over llama.cpp: geometric mean over the prompts of both.';
comment on column framework_delta.decode_tps_ratio_low is 'Lower end of its 95 % interval.';
comment on column framework_delta.decode_tps_ratio_high is 'Upper end of its 95 % interval.';
comment on column framework_delta.ttft_ms_ratio is 'TTFT, MLX over llama.cpp; below 1 is faster.';
comment on column framework_delta.ttft_ms_ratio_low is 'Lower end of its 95 % interval.';
comment on column framework_delta.ttft_ms_ratio_high is 'Upper end of its 95 % interval.';
comment on column framework_delta.detectable_difference is 'Smallest difference, as a share, that these prompts would show with a power of 80 %.';
comment on column framework_delta.verdict is 'Of decode speed: MLX faster or llama.cpp faster (by more than 3 %), equivalent (within 3 %), small difference, inconclusive, not comparable.';
comment on column framework_delta.ttft_verdict is 'Of TTFT: MLX later or llama.cpp later (by more than 3 %), and the others.';
comment on column framework_delta.mlx_peak_memory_gb is 'Peak memory of the MLX side, GB.';
comment on column framework_delta.llama_cpp_peak_memory_gb is 'Peak memory of the llama.cpp side, GB.';
comment on column framework_delta.peak_memory_difference_gb is 'MLX less llama.cpp, GB; only at equal context.';
comment on column framework_delta.peak_memory_ratio is 'MLX over llama.cpp; only at equal context.';
comment on column framework_delta.mlx_load_s is 'Median load time of the MLX side, s.';
comment on column framework_delta.llama_cpp_load_s is 'Median load time of the llama.cpp side, s.';
comment on column framework_delta.load_s_ratio is 'MLX over llama.cpp; only at equal context.';
comment on column framework_delta.memory_run_count is 'Runs behind the memory of the side with fewer.';
comment on column framework_delta.load_run_count is 'Loads behind the load time of the side with fewer.';
comment on column framework_delta.memory_reason is 'Why memory is not compared.';
comment on column framework_delta.reason is 'Why speed is not comparable or not sure.';
