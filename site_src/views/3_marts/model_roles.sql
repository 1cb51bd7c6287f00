-- Where a model fits is where the grid of `recommendation` picks it.
create or replace view model_roles as
with
known as (
    select distinct model, parameters_total_b, parameters_active_b, context_advertised from stg_models
),
figures as (
    select
        machine, model,
        count(*) as configuration_count,
        max(context_usable) as context_usable,
        arg_max(label, decode_tps) as fastest_label,
        arg_max(
            {
                'low': decode_tps_low, 'high': decode_tps_high, 'n': request_count, 'runs': decode_run_count, 'kind': interval_kind
            }, decode_tps
        ) as fastest,
        max(decode_tps) as decode_tps,
        -- of one kind: against a baseline where there is any
        arg_min(label, (peak_memory_kind != 'system, above baseline', peak_memory_kind, memory_gb, label))
            filter (memory_gb is not null) as smallest_label,
        arg_min(memory_gb, (peak_memory_kind != 'system, above baseline', peak_memory_kind, memory_gb, label))
            filter (memory_gb is not null) as memory_gb
    from candidates
    group by machine, model
),
graded as (
    select
        machine, model,
        count(*) filter (judged_count > 0) as judged_build_count,
        count(*) filter (gate = 'pass') as pass_build_count,
        count(*) filter (gate = 'fail') as fail_build_count
    from quality
    group by machine, model
),
grid as (
    select machine, count(*) as cell_count from recommendation where candidate_count > 0 group by machine
),
picks as (
    select
        machine, model,
        count(*) filter (priority = 'speed') as speed_cell_count,
        count(*) filter (priority = 'quality') as quality_cell_count,
        count(*) filter (priority = 'memory') as memory_cell_count,
        count(*) filter (priority = 'energy') as energy_cell_count,
        min(memory_budget_gb) as picked_from_gb,
        max(context_needed) as picked_context
    from recommendation
    where configuration_id is not null
    group by machine, model
)
select
    figures.machine, figures.model, parameters_total_b, parameters_active_b, context_advertised, context_usable,
    configuration_count,
    fastest_label, decode_tps, fastest.low as decode_tps_low, fastest.high as decode_tps_high,
    fastest.kind as interval_kind, coalesce(fastest.runs, 0) as decode_run_count,
    coalesce(fastest.n, 0) as request_count,
    smallest_label, memory_gb,
    coalesce(judged_build_count, 0) as judged_build_count, coalesce(pass_build_count, 0) as pass_build_count,
    coalesce(fail_build_count, 0) as fail_build_count,
    coalesce(cell_count, 0) as cell_count,
    coalesce(speed_cell_count, 0) as speed_cell_count, coalesce(quality_cell_count, 0) as quality_cell_count,
    coalesce(memory_cell_count, 0) as memory_cell_count, coalesce(energy_cell_count, 0) as energy_cell_count,
    picked_from_gb, picked_context,
    case
        when coalesce(cell_count, 0) = 0 then 'no configuration of this machine is rated'
        when picked_from_gb is null then 'another model is picked in every cell'
    end as reason
from figures
left join known using (model)
left join graded on graded.machine = figures.machine and graded.model = figures.model
left join grid on grid.machine = figures.machine
left join picks on picks.machine = figures.machine and picks.model = figures.model
order by figures.machine, figures.model;

comment on view model_roles is 'One row per machine and model measured there: what it is, its best figures, and where it is picked.';
comment on column model_roles.machine is 'Chip, GPU cores, memory.';
comment on column model_roles.model is 'The model.';
comment on column model_roles.parameters_total_b is 'Weights in all, billions.';
comment on column model_roles.parameters_active_b is 'Weights used for a token, billions.';
comment on column model_roles.context_advertised is 'Longest context the model is made for, tokens.';
comment on column model_roles.context_usable is 'Largest rung of a ladder that passed, tokens; NULL: none was climbed.';
comment on column model_roles.configuration_count is 'Quantizations and engines it was measured with.';
comment on column model_roles.fastest_label is 'The fastest of them.';
comment on column model_roles.decode_tps is 'Its decode speed, tokens/s.';
comment on column model_roles.decode_tps_low is 'Lower end of its 95 % interval.';
comment on column model_roles.decode_tps_high is 'Upper end of its 95 % interval.';
comment on column model_roles.request_count is 'Requests behind it.';
comment on column model_roles.smallest_label is 'The one with least peak memory.';
comment on column model_roles.memory_gb is 'That memory, GB.';
comment on column model_roles.judged_build_count is 'Builds with judged answers.';
comment on column model_roles.pass_build_count is 'Builds that pass the quality gate.';
comment on column model_roles.fail_build_count is 'Builds that fail it.';
comment on column model_roles.cell_count is 'Cells of the grid of budgets, contexts and priorities.';
comment on column model_roles.speed_cell_count is 'Cells in which it is picked for speed.';
comment on column model_roles.quality_cell_count is 'Cells in which it is picked where quality must be proven.';
comment on column model_roles.memory_cell_count is 'Cells in which it is picked as the smallest.';
comment on column model_roles.picked_from_gb is 'Smallest budget at which it is picked, GB.';
comment on column model_roles.picked_context is 'Longest context for which it is picked, tokens.';
comment on column model_roles.reason is 'Why it is picked nowhere.';
comment on column model_roles.interval_kind is 'between runs: its interval holds what runs of this machine differ by; within this run: no configuration has two runs yet, and it does not.';
comment on column model_roles.decode_run_count is 'Runs behind the fastest.';
comment on column model_roles.energy_cell_count is 'Cells in which it is picked for the least energy.';
