-- Paired by prompt and repeat: mean ln-ratio per prompt, geometric mean over prompts, Student-t over the prompts.
-- Verdicts with a margin of 3 %: the whole interval beyond it, within it, on one side of 1, or none of these.
create or replace view framework_delta as
with
cells as (
    select
        configuration_id, prompt_sha256, repeat,
        avg(ln(decode_tps)) as decode, avg(ln(ttft_ms)) as ttft, count(decode_tps) as decode_count
    from request_speed
    inner join stg_runs using (run_id)
    group by configuration_id, prompt_sha256, repeat
),
prompts as (
    select
        pairs.mlx_configuration_id, pairs.llama_cpp_configuration_id, mlx.prompt_sha256,
        avg(mlx.decode - llama.decode) as decode, avg(mlx.ttft - llama.ttft) as ttft,
        sum(mlx.decode_count + llama.decode_count)::bigint as request_count
    from framework_pairs as pairs
    inner join cells as mlx on mlx.configuration_id = pairs.mlx_configuration_id
    inner join cells as llama
        on llama.configuration_id = pairs.llama_cpp_configuration_id
        and llama.prompt_sha256 = mlx.prompt_sha256
        and llama.repeat = mlx.repeat
    where pairs.obstacle is null
    group by all
),
ratios as (
    select
        mlx_configuration_id, llama_cpp_configuration_id,
        count(decode) as prompt_count,
        sum(request_count)::bigint as request_count,
        avg(decode) as decode, stddev_samp(decode) / sqrt(count(decode)) * t_of(count(decode) - 1) as decode_margin,
        avg(ttft) as ttft, stddev_samp(ttft) / sqrt(count(ttft)) * t_of(count(ttft) - 1) as ttft_margin
    from prompts
    group by all
)
select
    machine, model, bits, mlx_quantization, llama_cpp_quantization, mlx_context, llama_cpp_context,
    mlx_configuration_id, llama_cpp_configuration_id,
    coalesce(prompt_count, 0) as prompt_count,
    coalesce(request_count, 0) as request_count,
    exp(decode) as decode_tps_ratio,
    exp(decode - decode_margin) as decode_tps_ratio_low,
    exp(decode + decode_margin) as decode_tps_ratio_high,
    exp(ttft) as ttft_ms_ratio,
    exp(ttft - ttft_margin) as ttft_ms_ratio_low,
    exp(ttft + ttft_margin) as ttft_ms_ratio_high,
    case
        when obstacle is not null or coalesce(prompt_count, 0) = 0 then 'not comparable'
        when decode_margin is null then 'inconclusive'
        when decode - decode_margin > ln(1.03) then 'MLX faster'
        when decode + decode_margin < -ln(1.03) then 'llama.cpp faster'
        when decode - decode_margin > -ln(1.03) and decode + decode_margin < ln(1.03) then 'equivalent'
        when decode - decode_margin > 0 or decode + decode_margin < 0 then 'small difference'
        else 'inconclusive'
    end as verdict,
    nullif(concat_ws(
        '; ', obstacle,
        if(obstacle is null and coalesce(prompt_count, 0) = 0, 'no prompt with a decode speed on both sides', null),
        if(obstacle is null and prompt_count = 1, 'one prompt has no interval', null),
        caveat
    ), '') as reason
from framework_pairs
left join ratios using (mlx_configuration_id, llama_cpp_configuration_id)
order by machine, model, bits, llama_cpp_quantization, mlx_configuration_id, llama_cpp_configuration_id;

comment on view framework_delta is 'One row per MLX and llama.cpp configuration of one machine, model and bit width: speed ratios, MLX over llama.cpp, with a verdict.';
comment on column framework_delta.machine is 'Chip, GPU cores, memory.';
comment on column framework_delta.model is 'The model.';
comment on column framework_delta.bits is 'Nominal bits per weight, equal on both sides.';
comment on column framework_delta.mlx_quantization is 'Quantization of the MLX side.';
comment on column framework_delta.llama_cpp_quantization is 'Quantization of the llama.cpp side.';
comment on column framework_delta.mlx_context is 'Effective context of the MLX side, tokens.';
comment on column framework_delta.llama_cpp_context is 'Effective context of the llama.cpp side, tokens.';
comment on column framework_delta.mlx_configuration_id is 'The MLX side.';
comment on column framework_delta.llama_cpp_configuration_id is 'The llama.cpp side.';
comment on column framework_delta.prompt_count is 'Prompts that both sides have with a decode speed.';
comment on column framework_delta.request_count is 'Requests of both sides behind the ratio.';
comment on column framework_delta.decode_tps_ratio is 'Decode speed, MLX over llama.cpp: geometric mean over prompts.';
comment on column framework_delta.decode_tps_ratio_low is 'Lower end of its 95 % interval.';
comment on column framework_delta.decode_tps_ratio_high is 'Upper end of its 95 % interval.';
comment on column framework_delta.ttft_ms_ratio is 'TTFT, MLX over llama.cpp; below 1 is faster.';
comment on column framework_delta.ttft_ms_ratio_low is 'Lower end of its 95 % interval.';
comment on column framework_delta.ttft_ms_ratio_high is 'Upper end of its 95 % interval.';
comment on column framework_delta.verdict is 'MLX faster or llama.cpp faster (by more than 3 %), equivalent (within 3 %), small difference, inconclusive, not comparable.';
comment on column framework_delta.reason is 'Why it is not comparable or not sure.';
