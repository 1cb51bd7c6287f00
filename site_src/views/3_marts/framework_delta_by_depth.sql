-- Where both sides climbed a ladder: the same rung, paired by its two prompts.
create or replace view framework_delta_by_depth as
with
cells as (
    select configuration_id, rung, set_number, avg(ln(ttft_ms)) as ttft, avg(ln(decode_tps)) as decode
    from rung_speed
    inner join (select run_id, configuration_id from stg_runs) as runs using (run_id)
    group by configuration_id, rung, set_number
),
beside as (
    select
        pairs.a_configuration_id as a_id, pairs.b_configuration_id as b_id, any_value(pairs.obstacle) as obstacle,
        any_value(pairs.caveat) as caveat, a.rung,
        count(a.ttft - b.ttft) as pair_count,
        avg(a.decode - b.decode) as decode,
        std_error(a.decode - b.decode) * t_of(count(a.decode - b.decode) - 1) as decode_margin,
        avg(a.ttft - b.ttft) as ttft,
        std_error(a.ttft - b.ttft) * t_of(count(a.ttft - b.ttft) - 1) as ttft_margin
    from pairs
    inner join cells as a on a.configuration_id = pairs.a_id
    inner join cells as b on b.configuration_id = pairs.b_id and b.rung = a.rung and b.set_number = a.set_number
    where pairs.kind = 'framework'
    group by pairs.a_configuration_id, pairs.b_configuration_id, a.rung
)
select
    mlx.machine, mlx.model, mlx.bits,
    mlx.quantization as mlx_quantization,
    llama.quantization as llama_cpp_quantization,
    a_id as mlx_configuration_id,
    b_id as llama_cpp_configuration_id,
    rung, pair_count,
    if(obstacle is null, exp(decode), null) as decode_tps_ratio,
    if(obstacle is null, exp(decode - decode_margin), null) as decode_tps_ratio_low,
    if(obstacle is null, exp(decode + decode_margin), null) as decode_tps_ratio_high,
    if(obstacle is null, exp(ttft), null) as ttft_ms_ratio,
    if(obstacle is null, exp(ttft - ttft_margin), null) as ttft_ms_ratio_low,
    if(obstacle is null, exp(ttft + ttft_margin), null) as ttft_ms_ratio_high,
    if(
        obstacle is null and decode is not null,
        sided(ratio_verdict(decode, decode_margin, 'a faster', 'b faster'), 'MLX', 'llama.cpp'), 'not comparable'
    ) as verdict,
    if(
        obstacle is null and ttft is not null,
        sided(ratio_verdict(ttft, ttft_margin, 'a later', 'b later'), 'MLX', 'llama.cpp'), 'not comparable'
    ) as ttft_verdict,
    nullif(concat_ws('; ', obstacle, if(obstacle is null and decode is null, 'no decode speed on both sides', null), caveat), '')
        as reason
from beside
inner join configurations as mlx on mlx.configuration_id = a_id
inner join configurations as llama on llama.configuration_id = b_id
order by mlx.machine, mlx.model, mlx.bits, llama.quantization, a_id, b_id, rung;

comment on view framework_delta_by_depth is 'One row per MLX and llama.cpp ladder of the same machine, model and nominal bits, and rung that both have. Ratios are MLX over llama.cpp.';
comment on column framework_delta_by_depth.machine is 'Chip, GPU cores, memory.';
comment on column framework_delta_by_depth.model is 'The model.';
comment on column framework_delta_by_depth.bits is 'Nominal bits per weight.';
comment on column framework_delta_by_depth.mlx_quantization is 'Quantization on the MLX side.';
comment on column framework_delta_by_depth.llama_cpp_quantization is 'Quantization on the llama.cpp side.';
comment on column framework_delta_by_depth.mlx_configuration_id is 'Configuration of the ladders on the MLX side.';
comment on column framework_delta_by_depth.llama_cpp_configuration_id is 'Configuration of the ladders on the llama.cpp side.';
comment on column framework_delta_by_depth.rung is 'Prompt length, tokens.';
comment on column framework_delta_by_depth.pair_count is 'Prompts of that length answered on both sides.';
comment on column framework_delta_by_depth.decode_tps_ratio is 'Decode speed at that depth, MLX over llama.cpp.';
comment on column framework_delta_by_depth.decode_tps_ratio_low is 'Lower end of its 95 % interval, Student-t over the prompts.';
comment on column framework_delta_by_depth.decode_tps_ratio_high is 'Upper end of its 95 % interval.';
comment on column framework_delta_by_depth.ttft_ms_ratio is 'Time to first token, MLX over llama.cpp; below 1 MLX is earlier.';
comment on column framework_delta_by_depth.ttft_ms_ratio_low is 'Lower end of its 95 % interval.';
comment on column framework_delta_by_depth.ttft_ms_ratio_high is 'Upper end of its 95 % interval.';
comment on column framework_delta_by_depth.verdict is 'MLX faster or llama.cpp faster (by more than 3 %), equivalent, small difference, inconclusive, or not comparable.';
comment on column framework_delta_by_depth.ttft_verdict is 'The same of the time to first token: MLX later or llama.cpp later.';
comment on column framework_delta_by_depth.reason is 'Why it is not comparable, or what is unknown about its being so.';
