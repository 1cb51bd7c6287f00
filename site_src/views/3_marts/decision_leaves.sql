-- Where the decision tree ends. Whoever needs more than the length before and no more than this one is answered here.
create or replace view decision_leaves as
with
needs as (
    select machine, context_needed, lag(context_needed) over (partition by machine order by context_needed) as context_above
    from (select distinct machine, context_needed from recommendation_spans)
),
leaves as (
    select spans.*, needs.context_above
    from recommendation_spans as spans
    inner join needs on needs.machine = spans.machine and needs.context_needed = spans.context_needed
),
helpful as (
    select
        leaves.machine, leaves.priority, leaves.context_needed, leaves.memory_budget_gb, steps.subject, steps.command,
        row_number() over (
            partition by leaves.machine, leaves.priority, leaves.context_needed, leaves.memory_budget_gb
            order by
                step_class, leaves.priority = 'quality' and steps.quality_gate is distinct from 'pass',
                place nulls last, if(leaves.priority = 'memory', budget_gb, -steps.decode_tps) nulls last, subject, steps.command
        ) as help_rank
    from leaves
    inner join decision_steps as steps on steps.machine = leaves.machine
    where leaves.configuration_id is null
        and coalesce(steps.budget_gb < leaves.memory_budget_below_gb, true)
        and leaves.context_needed > steps.context_above
        and coalesce(leaves.context_needed <= steps.context_reach, true)
        and (leaves.priority = 'quality' or steps.kind != 'quality')
)
select
    leaves.machine, coalesce(machines.place, 0) as machine_place, leaves.priority, leaves.context_above, leaves.context_needed,
    leaves.memory_budget_gb, leaves.memory_budget_below_gb,
    leaves.verdict, leaves.configuration_id, leaves.label, leaves.runtime,
    leaves.decode_tps, leaves.decode_tps_low, leaves.decode_tps_high, leaves.interval_kind, leaves.decode_run_count,
    leaves.request_count,
    leaves.decode_j_per_token, leaves.decode_j_per_token_low, leaves.decode_j_per_token_high,
    leaves.energy_interval_kind, leaves.energy_run_count, leaves.energy_kind,
    leaves.memory_gb, leaves.memory_kind, leaves.quality_gate, leaves.confidence, leaves.confidence_reason, leaves.best_confidence,
    leaves.tied_with,
    leaves.not_tested, leaves.reason,
    helpful.subject as step_subject,
    -- a machine without LM Studio has no cells of the plan until its first run there
    coalesce(helpful.command, if(leaves.configuration_id is null and not is_plan, 'collect plan --run', null)) as command
from leaves
left join machines on machines.machine = leaves.machine
left join helpful
    on helpful.machine = leaves.machine and helpful.priority = leaves.priority and helpful.context_needed = leaves.context_needed
    and helpful.memory_budget_gb = leaves.memory_budget_gb and help_rank = 1
order by machines.place, leaves.machine, leaves.priority desc, leaves.context_needed, leaves.memory_budget_gb;

comment on view decision_leaves is 'One row per machine, priority, needed context and span of memory budgets: the pick there, or why there is none and what to type.';
comment on column decision_leaves.machine is 'Chip, GPU cores, memory.';
comment on column decision_leaves.machine_place is 'Its place among the machines, from 1.';
comment on column decision_leaves.priority is 'speed: the fastest; quality: the fastest whose quality is proven; memory: the smallest; energy: the least joules for each token, where these are known.';
comment on column decision_leaves.context_above is 'For needs above this length, tokens; NULL is from nothing.';
comment on column decision_leaves.context_needed is 'Up to this, tokens; 0: no more than the suite''s prompts.';
comment on column decision_leaves.memory_budget_gb is 'Memory that may be used, GB, from this.';
comment on column decision_leaves.memory_budget_below_gb is 'To below this; NULL is no end.';
comment on column decision_leaves.verdict is 'recommended; level: others cannot be told from it; nothing measured fits.';
comment on column decision_leaves.configuration_id is 'The pick.';
comment on column decision_leaves.label is 'Model, quantization, engine.';
comment on column decision_leaves.runtime is 'Engine that ran it.';
comment on column decision_leaves.decode_tps is 'Decode speed, tokens/s.';
comment on column decision_leaves.decode_tps_low is 'Lower end of its 95 % interval.';
comment on column decision_leaves.decode_tps_high is 'Upper end of its 95 % interval.';
comment on column decision_leaves.request_count is 'Requests behind it.';
comment on column decision_leaves.memory_gb is 'Peak memory at the needed context, GB.';
comment on column decision_leaves.memory_kind is 'measured, estimated, or only with short prompts.';
comment on column decision_leaves.quality_gate is 'pass, warn or unproven.';
comment on column decision_leaves.confidence is 'high, medium or low, of the least sure budget of the span.';
comment on column decision_leaves.confidence_reason is 'What lowers it there.';
comment on column decision_leaves.best_confidence is 'That of the surest budget of the span, where it is another.';
comment on column decision_leaves.tied_with is 'Others that cannot be told from it.';
comment on column decision_leaves.not_tested is 'How much of the plan is not measured on this machine.';
comment on column decision_leaves.reason is 'Why nothing fits.';
comment on column decision_leaves.step_subject is 'What would be measured by the command.';
comment on column decision_leaves.command is 'Where nothing fits, what to type first; NULL where no measurement could change that.';
comment on column decision_leaves.interval_kind is 'between runs: its interval holds what runs of this machine differ by; within this run: no configuration has two runs yet, and it does not.';
comment on column decision_leaves.decode_run_count is 'Runs behind the speed.';
comment on column decision_leaves.decode_j_per_token is 'Joules for each token generated, what flows at rest subtracted; of the rails in energy_kind.';
comment on column decision_leaves.decode_j_per_token_low is 'Lower end of its 95 % interval.';
comment on column decision_leaves.decode_j_per_token_high is 'Upper end of its 95 % interval.';
comment on column decision_leaves.energy_interval_kind is 'between runs, or within this run: what that interval holds.';
comment on column decision_leaves.energy_run_count is 'Runs behind the joules.';
comment on column decision_leaves.energy_kind is 'The rails that the joules hold.';
