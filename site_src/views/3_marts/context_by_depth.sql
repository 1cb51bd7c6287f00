create or replace view context_by_depth as
with
ranges as (
    select
        ladder_id, rung,
        min(ttft_ms) as ttft_min, max(ttft_ms) as ttft_max, min(decode_tps) as decode_min, max(decode_tps) as decode_max
    from rung_speed
    group by ladder_id, rung
),
rungs as (
    select
        context_ladder.* exclude (verdict),
        nominal_bits(quantization) as bits, coalesce(prompt_tokens, context_ladder.rung) as depth, verdict as rung_verdict,
        ranges.* exclude (ladder_id, rung)
    from context_ladder
    left join ranges using (ladder_id, rung)
),
figures as (
    select *, 'TTFT' as figure, ttft_ms / 1000 as figure_value, ttft_min / 1000 as figure_min, ttft_max / 1000 as figure_max
    from rungs
    union all
    select *, 'decode', decode_tps, decode_min, decode_max from rungs
    union all
    select *, 'memory', if(accepted_count > 0, memory_gb, null), null, null from rungs
    union all
    select *, 'needles found', if(needle_count > 0, found_count / needle_count, null), found_share_low, found_share_high from rungs
)
select
    label, machine, ladder_id, model, runtime, quantization, bits, rung, depth,
    figure, figure_value, figure_min, figure_max,
    found_count, needle_count, request_count,
    rung_verdict as verdict
from figures
where figure_value is not null
order by machine, label, ladder_id, figure, depth;

comment on view context_by_depth is 'One row per ladder, rung and figure of it.';
comment on column context_by_depth.label is 'Model, quantization, engine.';
comment on column context_by_depth.machine is 'Chip, GPU cores, memory.';
comment on column context_by_depth.ladder_id is 'The ladder.';
comment on column context_by_depth.model is 'The model.';
comment on column context_by_depth.runtime is 'Engine that ran the model.';
comment on column context_by_depth.quantization is 'Its quantization.';
comment on column context_by_depth.bits is 'Nominal bits per weight.';
comment on column context_by_depth.rung is 'Prompt length aimed at, tokens.';
comment on column context_by_depth.depth is 'Prompt length by the server, tokens.';
comment on column context_by_depth.figure is 'TTFT in seconds, decode in tokens/s, memory in GB, needles found as a share.';
comment on column context_by_depth.figure_value is 'Its value: of speeds the median of the rung''s prompts.';
comment on column context_by_depth.figure_min is 'Of speeds the lowest of the rung''s prompts, of needles the lower end of Wilson''s 95 % interval.';
comment on column context_by_depth.figure_max is 'The highest, or the upper end.';
comment on column context_by_depth.found_count is 'Needles that the answers name.';
comment on column context_by_depth.needle_count is 'Needles hidden.';
comment on column context_by_depth.request_count is 'Requests sent.';
comment on column context_by_depth.verdict is 'What became of the rung.';
