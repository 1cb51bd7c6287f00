-- Where both sides climbed a ladder: the same rung, paired by its two prompts. The run is the unit here too: its variance is
-- pooled over the ladders of a machine, of runs under the same versions at the same rung; degrees of freedom are ladders less
-- the groups they are of, since rungs of one ladder share its day. With nothing to pool, the two prompts are all there is.
create or replace view framework_delta_by_depth as
with
measured as (
    select run_id, rung, set_number, 'ttft' as figure, ttft_ms as value from rung_speed where ttft_ms is not null
    union all
    select run_id, rung, set_number, 'decode', decode_tps from rung_speed where decode_tps is not null
),
climbed as (
    select machine, configuration_id, version, is_current, run_id, rung, figure, avg(ln(value)) as center
    from measured
    inner join run_versions using (run_id)
    group by machine, configuration_id, version, is_current, run_id, rung, figure
),
repeated as (
    select
        machine, configuration_id, version, figure, rung,
        var_samp(center) * (count(*) - 1) as squares, count(*) - 1 as degrees
    from climbed
    group by machine, configuration_id, version, figure, rung
    having count(*) > 1
),
spread as (
    select machine, figure, sum(squares) / sum(degrees) as variance, sum(ladder_degrees)::bigint as degrees
    from (
        select machine, figure, sum(squares) as squares, sum(degrees) as degrees, max(degrees) as ladder_degrees
        from repeated
        group by machine, configuration_id, version, figure
    )
    group by machine, figure
),
counted as (
    select configuration_id, rung, figure, count(*) as run_count
    from climbed
    where is_current
    group by configuration_id, rung, figure
),
cells as (
    select configuration_id, rung, set_number, figure, avg(ln(value)) as value
    from measured
    inner join run_versions using (run_id)
    where is_current
    group by configuration_id, rung, set_number, figure
),
beside as (
    select
        pairs.a_configuration_id as a_id, pairs.b_configuration_id as b_id, any_value(pairs.obstacle) as obstacle,
        any_value(pairs.caveat) as caveat, a.rung, a.figure,
        count(*) as pair_count,
        avg(a.value - b.value) as center,
        std_error(a.value - b.value) * t_of(count(*) - 1) as within_margin
    from pairs
    inner join cells as a on a.configuration_id = pairs.a_id
    inner join cells as b
        on b.configuration_id = pairs.b_id and b.rung = a.rung and b.set_number = a.set_number and b.figure = a.figure
    where pairs.kind = 'framework'
    group by pairs.a_configuration_id, pairs.b_configuration_id, a.rung, a.figure
),
bounded as (
    select
        beside.*,
        mlx.machine,
        a.run_count as a_run_count, b.run_count as b_run_count,
        coalesce(t_of(spread.degrees) * sqrt(spread.variance * (1 / a.run_count + 1 / b.run_count)), within_margin) as margin,
        if(spread.variance is null, 'within this run', 'between runs') as interval_kind
    from beside
    inner join configurations as mlx on mlx.configuration_id = a_id
    inner join counted as a on a.configuration_id = a_id and a.rung = beside.rung and a.figure = beside.figure
    inner join counted as b on b.configuration_id = b_id and b.rung = beside.rung and b.figure = beside.figure
    left join spread on spread.machine = mlx.machine and spread.figure = beside.figure
),
rungs as (
    select
        a_id, b_id, rung, any_value(obstacle) as obstacle, any_value(caveat) as caveat,
        coalesce(max(pair_count) filter (figure = 'ttft'), 0) as pair_count,
        min(least(a_run_count, b_run_count)) as runs_a_side,
        any_value(center) filter (figure = 'decode') as decode,
        any_value(margin) filter (figure = 'decode') as decode_margin,
        any_value(sides_verdict(center, margin, interval_kind, a_run_count, b_run_count, 'a faster', 'b faster'))
            filter (figure = 'decode') as decode_verdict,
        any_value(center) filter (figure = 'ttft') as ttft,
        any_value(margin) filter (figure = 'ttft') as ttft_margin,
        any_value(wait_verdict(center, margin, interval_kind, a_run_count, b_run_count, 'a later', 'b later'))
            filter (figure = 'ttft') as ttft_verdict
    from bounded
    group by a_id, b_id, rung
)
select
    mlx.machine, mlx.model, mlx.bits,
    mlx.quantization as mlx_quantization,
    llama.quantization as llama_cpp_quantization,
    a_id as mlx_configuration_id,
    b_id as llama_cpp_configuration_id,
    rung, pair_count, runs_a_side,
    if(obstacle is null, exp(decode), null) as decode_tps_ratio,
    if(obstacle is null, exp(decode - decode_margin), null) as decode_tps_ratio_low,
    if(obstacle is null, exp(decode + decode_margin), null) as decode_tps_ratio_high,
    if(obstacle is null, exp(ttft), null) as ttft_ms_ratio,
    if(obstacle is null, exp(ttft - ttft_margin), null) as ttft_ms_ratio_low,
    if(obstacle is null, exp(ttft + ttft_margin), null) as ttft_ms_ratio_high,
    if(obstacle is null, sided(coalesce(decode_verdict, 'not comparable'), 'MLX', 'llama.cpp'), 'not comparable') as verdict,
    if(obstacle is null, sided(coalesce(ttft_verdict, 'not comparable'), 'MLX', 'llama.cpp'), 'not comparable') as ttft_verdict,
    nullif(concat_ws(
        '; ', obstacle, if(obstacle is null and decode is null, 'no decode speed on both sides', null),
        if(obstacle is null and runs_a_side = 1, 'one run on a side', null), caveat
    ), '') as reason
from rungs
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
comment on column framework_delta_by_depth.runs_a_side is 'Ladders behind it, of the side with fewer.';
comment on column framework_delta_by_depth.decode_tps_ratio is 'Decode speed at that depth, MLX over llama.cpp.';
comment on column framework_delta_by_depth.decode_tps_ratio_low is 'Lower end of its 95 % interval, Student-t over the prompts.';
comment on column framework_delta_by_depth.decode_tps_ratio_high is 'Upper end of its 95 % interval.';
comment on column framework_delta_by_depth.ttft_ms_ratio is 'Time to first token, MLX over llama.cpp; below 1 MLX is earlier.';
comment on column framework_delta_by_depth.ttft_ms_ratio_low is 'Lower end of its 95 % interval.';
comment on column framework_delta_by_depth.ttft_ms_ratio_high is 'Upper end of its 95 % interval.';
comment on column framework_delta_by_depth.verdict is 'MLX faster or llama.cpp faster (by more than 3 %), equivalent, small difference, inconclusive, or not comparable.';
comment on column framework_delta_by_depth.ttft_verdict is 'The same of the time to first token: MLX later or llama.cpp later.';
comment on column framework_delta_by_depth.reason is 'Why it is not comparable, or what is unknown about its being so.';
