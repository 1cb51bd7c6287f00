create or replace view plan_results as
with
attempts as materialized (
    select * from plan_runs
),
counted as (
    select
        machine,
        plan_row,
        count(*) as run_count,
        -- a cell may be measured in several configurations, such as two contexts: the one with most runs stands for it
        arg_max(configuration_id, (configuration_run_count, run_started_at, configuration_id)) as configuration_id,
        count(*) filter (is_context_unknown) as context_unknown_count,
        count(*) filter (is_forced) as forced_count
    from (
        select *, count(*) over (partition by machine, plan_row, configuration_id) as configuration_run_count
        from attempts
        where exclusion is null and is_current
    )
    group by machine, plan_row
),
attempted as (
    select
        machine,
        plan_row,
        list_distinct(list(finished_block)) as finished_blocks,
        max(run_started_at) filter (is_lmstudio) as latest_run_at,
        arg_max(coalesce(failure, ''), run_started_at) filter (is_lmstudio) as latest_failure,
        median(run_seconds) filter (is_finished) / 60 as run_minutes,
        count(*) filter (exclusion is not null and failure is null) as excluded_count,
        string_agg(distinct exclusion, ', ' order by exclusion) filter (failure is null) as exclusions
    from attempts
    group by machine, plan_row
)
select
    machine,
    plan_row,
    coalesce(run_count, 0) as run_count,
    configuration_id,
    decode_tps, decode_tps_low, decode_tps_high, interval_kind,
    coalesce(decode_count, 0) as request_count,
    finished_blocks,
    latest_run_at,
    nullif(latest_failure, '') as latest_failure,
    run_minutes,
    nullif(concat_ws(
        '; ',
        if(excluded_count > 0, format(
            '{} not count: {}', if(excluded_count = 1, '1 run does', excluded_count || ' runs do'), exclusions
        ), null),
        if(context_unknown_count > 0, context_unknown_count || ' of ' || run_count || ' runs with unknown context', null),
        if(forced_count > 0, forced_count || ' of ' || run_count || ' runs although a check had failed', null)
    ), '') as doubts
from attempted
left join counted using (machine, plan_row)
left join set_speeds on set_speeds.set_id = configuration_id;

comment on view plan_results is 'One row per machine and cell of the plan with any run.';
comment on column plan_results.machine is 'Chip, GPU cores, memory.';
comment on column plan_results.plan_row is 'The cell: its place in the plan.';
comment on column plan_results.run_count is 'Runs that count, under the newest version of the engine.';
comment on column plan_results.configuration_id is 'The configuration that stands for the cell.';
comment on column plan_results.interval_kind is 'between runs, or within this run where no spread of runs is known yet.';
comment on column plan_results.decode_tps is 'Decode speed, tokens/s, of its configuration with most runs, as in run_summary.';
comment on column plan_results.decode_tps_low is 'Lower end of its 95 % interval.';
comment on column plan_results.decode_tps_high is 'Upper end of its 95 % interval.';
comment on column plan_results.request_count is 'Requests behind it.';
comment on column plan_results.finished_blocks is 'Blocks of the plan''s order that are finished.';
comment on column plan_results.latest_run_at is 'Beginning of the latest LM Studio run, whether it counts or not, UTC.';
comment on column plan_results.latest_failure is 'Why that run measured nothing; NULL if it did.';
comment on column plan_results.run_minutes is 'Median length of the finished runs, minutes.';
comment on column plan_results.doubts is 'Which runs do not count and why, and which count but are doubtful.';
