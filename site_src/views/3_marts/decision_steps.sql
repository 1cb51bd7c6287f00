-- What to type where nothing measured fits, each with the memory and the lengths that it would tell of: a ladder shows a
-- length usable, a quality pass proves outputs, a cell of the plan is one more to choose from.
create or replace view decision_steps as
with
keys as (
    select configuration_id, shell_word(arg_max(key, (run_started_at, run_id))) as key
    from stg_runs
    inner join (
        select run_id, coalesce(any_value(model_requested), any_value(model_variant), any_value(model_key)) as key
        from raw_facts
        group by run_id
    ) as asked using (run_id)
    group by configuration_id
),
rated as (
    select
        candidates.*,
        coalesce(keys.key, 'KEY') as key,
        coalesce(checked_count, 0) as checked_count,
        -- its ladders have decided nothing between these two
        if(
            deep_memory_gb is null, least(coalesce(context_usable, 0), coalesce(context_effective, 0)),
            coalesce(context_usable, 0)
        ) as decided_to,
        least(coalesce(greatest(context_advertised, context_effective, context_usable), 131072), context_usable_below - 1)
            as undecided_to
    from candidates
    left join keys using (configuration_id)
    left join configuration_quality using (configuration_id)
    left join (select distinct model, context_advertised from stg_models) as known using (model)
    where is_rated
),
steps as (
    select
        machine, 'ladder' as kind, 1 as step_class, null::bigint as place, label as subject, decode_tps, quality_gate, budget_gb,
        decided_to as context_above, least(undecided_to, 131072) as context_reach, 'collect context --load ' || key as command
    from rated
    union all
    select
        machine, 'ladder', 1, null, label, decode_tps, quality_gate, budget_gb, greatest(decided_to, 131072), undecided_to,
        format('collect context --load {} --context-length {}', key, undecided_to)
    from rated
    union all
    select
        machine, 'quality', 2, null, label, decode_tps, quality_gate, budget_gb, -1, coalesce(context_usable, 0),
        format('collect --load {} --suite standard+coding-agent --quality --unload', key)
    from rated
    where quality_gate = 'unproven' and checked_count = 0
    union all
    select
        machine, 'cell', 3, next_rank, concat(model, ' ', variant), null, null, budget_for(planned_memory_gb, null, null),
        -1, null, format('collect plan --run --next --only "{} {}"', model, variant)
    from plan_coverage
    where kind = 'speed' and next_rank is not null and run_count = 0
)
select * replace (budget_edge(budget_gb) as budget_gb)
from steps
where context_reach is null or context_above < context_reach
order by machine, step_class, place, subject, context_above, command;

comment on view decision_steps is 'One row per machine and measurement that could fill an empty leaf of the decision tree.';
comment on column decision_steps.machine is 'Chip, GPU cores, memory; NULL before anything was measured.';
comment on column decision_steps.kind is 'ladder: of a rated candidate''s context; quality: its quality pass; cell: of the plan.';
comment on column decision_steps.step_class is 'Which kind comes first where several would help, from 1.';
comment on column decision_steps.place is 'The place of a cell in the plan''s order.';
comment on column decision_steps.subject is 'What would be measured.';
comment on column decision_steps.decode_tps is 'Its decode speed, tokens/s, where it is known.';
comment on column decision_steps.quality_gate is 'Its quality gate, where it is known.';
comment on column decision_steps.budget_gb is 'Memory that a machine should have for it, GB; for a cell by the plan''s estimate.';
comment on column decision_steps.context_above is 'It tells of lengths above this, tokens; -1: of all.';
comment on column decision_steps.context_reach is 'Up to this; NULL is no end.';
comment on column decision_steps.command is 'What to type.';
