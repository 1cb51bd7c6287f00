-- Neighboring budgets with the same pick, or the same reason for none, are one span.
create or replace view recommendation_spans as
with
marked as (
    select
        *,
        concat_ws('|', verdict, configuration_id, tied_with, reason, memory_gb) as pick,
        pick is distinct from lag(pick) over cell as is_new
    from recommendation
    window cell as (partition by machine, priority, context_needed order by memory_budget_gb)
),
numbered as (
    select *, count(*) filter (is_new) over (
        partition by machine, priority, context_needed order by memory_budget_gb
    ) as span
    from marked
)
select
    machine, priority, context_needed,
    min(memory_budget_gb) as memory_budget_gb,
    if(count(*) > count(memory_budget_below_gb), null, max(memory_budget_below_gb)) as memory_budget_below_gb,
    arg_max(numbered, memory_budget_gb).verdict as verdict,
    arg_max(numbered, memory_budget_gb).configuration_id as configuration_id,
    arg_max(numbered, memory_budget_gb).label as label,
    arg_max(numbered, memory_budget_gb).runtime as runtime,
    arg_max(numbered, memory_budget_gb).decode_tps as decode_tps,
    arg_max(numbered, memory_budget_gb).decode_tps_low as decode_tps_low,
    arg_max(numbered, memory_budget_gb).decode_tps_high as decode_tps_high,
    arg_max(numbered, memory_budget_gb).interval_kind as interval_kind,
    arg_max(numbered, memory_budget_gb).decode_run_count as decode_run_count,
    arg_max(numbered, memory_budget_gb).decode_j_per_token as decode_j_per_token,
    arg_max(numbered, memory_budget_gb).decode_j_per_token_low as decode_j_per_token_low,
    arg_max(numbered, memory_budget_gb).decode_j_per_token_high as decode_j_per_token_high,
    arg_max(numbered, memory_budget_gb).energy_interval_kind as energy_interval_kind,
    arg_max(numbered, memory_budget_gb).energy_run_count as energy_run_count,
    arg_max(numbered, memory_budget_gb).energy_kind as energy_kind,
    arg_max(numbered, memory_budget_gb).request_count as request_count,
    arg_max(numbered, memory_budget_gb).memory_gb as memory_gb,
    arg_max(numbered, memory_budget_gb).memory_kind as memory_kind,
    arg_max(numbered, memory_budget_gb).quality_gate as quality_gate,
    -- more to choose from makes a choice no surer: the least sure of the span's budgets counts
    arg_min(numbered, (list_position(['low', 'medium', 'high'], confidence), -memory_budget_gb)).confidence as confidence,
    arg_min(numbered, (list_position(['low', 'medium', 'high'], confidence), -memory_budget_gb)).confidence_reason
        as confidence_reason,
    nullif(
        ['low', 'medium', 'high'][max(list_position(['low', 'medium', 'high'], confidence))],
        ['low', 'medium', 'high'][min(list_position(['low', 'medium', 'high'], confidence))]
    ) as best_confidence,
    arg_max(numbered, memory_budget_gb).tied_with as tied_with,
    max(fitting_count) as fitting_count,
    arg_max(numbered, memory_budget_gb).not_tested as not_tested,
    arg_max(numbered, memory_budget_gb).reason as reason
from numbered
group by machine, priority, context_needed, span
order by machine, priority desc, context_needed, memory_budget_gb;

comment on view recommendation_spans is 'One row per machine, priority, needed context and span of memory budgets with one pick.';
comment on column recommendation_spans.machine is 'Chip, GPU cores, memory.';
comment on column recommendation_spans.priority is 'speed: the fastest; quality: the fastest whose quality is proven; memory: the smallest; energy: the least joules for each token, where these are known.';
comment on column recommendation_spans.context_needed is 'Context that must be usable, tokens; 0: no more than the suite''s prompts.';
comment on column recommendation_spans.memory_budget_gb is 'Memory that may be used, GB, from this.';
comment on column recommendation_spans.memory_budget_below_gb is 'To below this; NULL is no end.';
comment on column recommendation_spans.verdict is 'recommended; level: others cannot be told from it; nothing measured fits.';
comment on column recommendation_spans.configuration_id is 'The pick.';
comment on column recommendation_spans.runtime is 'Engine that ran it.';
comment on column recommendation_spans.quality_gate is 'pass, warn or unproven.';
comment on column recommendation_spans.tied_with is 'Others that cannot be told from it.';
comment on column recommendation_spans.label is 'Model, quantization, engine.';
comment on column recommendation_spans.decode_tps is 'Decode speed, tokens/s.';
comment on column recommendation_spans.decode_tps_low is 'Lower end of its 95 % interval.';
comment on column recommendation_spans.decode_tps_high is 'Upper end of its 95 % interval.';
comment on column recommendation_spans.request_count is 'Requests behind it.';
comment on column recommendation_spans.memory_gb is 'Peak memory at the needed context, GB.';
comment on column recommendation_spans.memory_kind is 'measured, estimated, or only with short prompts.';
comment on column recommendation_spans.confidence is 'high, medium or low, of the least sure budget of the span.';
comment on column recommendation_spans.confidence_reason is 'What lowers it there.';
comment on column recommendation_spans.best_confidence is 'That of the surest budget of the span, where it is another.';
comment on column recommendation_spans.fitting_count is 'Candidates that fit the largest budget.';
comment on column recommendation_spans.not_tested is 'How much of the plan is not measured on this machine.';
comment on column recommendation_spans.reason is 'Why nothing fits.';
comment on column recommendation_spans.interval_kind is 'between runs: its interval holds what runs of this machine differ by; within this run: no configuration has two runs yet, and it does not.';
comment on column recommendation_spans.decode_run_count is 'Runs behind the speed.';
comment on column recommendation_spans.decode_j_per_token is 'Joules for each token generated, what flows at rest subtracted; of the rails in energy_kind.';
comment on column recommendation_spans.decode_j_per_token_low is 'Lower end of its 95 % interval.';
comment on column recommendation_spans.decode_j_per_token_high is 'Upper end of its 95 % interval.';
comment on column recommendation_spans.energy_interval_kind is 'between runs, or within this run: what that interval holds.';
comment on column recommendation_spans.energy_run_count is 'Runs behind the joules.';
comment on column recommendation_spans.energy_kind is 'The rails that the joules hold.';
