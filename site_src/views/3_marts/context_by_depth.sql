create or replace view context_by_depth as
select label, ladder_id, prompt_tokens as depth, 'TTFT, s' as figure, ttft_ms / 1000 as figure_value, verdict
from context_ladder
where ttft_ms is not null
union all
select label, ladder_id, prompt_tokens, 'decode, tokens/s', decode_tps, verdict
from context_ladder
where decode_tps is not null
union all
select label, ladder_id, coalesce(prompt_tokens, rung), 'memory, GB', memory_gb, verdict
from context_ladder
where memory_gb is not null and accepted_count > 0
order by label, ladder_id, figure, depth;

comment on view context_by_depth is 'One row per ladder, depth and figure, for the chart.';
comment on column context_by_depth.label is 'Model, quantization, engine.';
comment on column context_by_depth.ladder_id is 'The ladder.';
comment on column context_by_depth.depth is 'Prompt length, tokens.';
comment on column context_by_depth.figure is 'Which figure.';
comment on column context_by_depth.figure_value is 'Its value.';
comment on column context_by_depth.verdict is 'What became of the rung.';
