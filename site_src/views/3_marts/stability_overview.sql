create or replace view stability_overview as
with
graded as (
    select
        machine,
        count(*) as configuration_count,
        count(cv) as graded_count,
        count(*) filter (grade = 'stable') as stable_count,
        count(*) filter (grade = 'acceptable') as acceptable_count,
        count(*) filter (grade = 'unstable') as unstable_count,
        count(*) filter (stability.verdict = 'provisional') as provisional_count,
        count(*) filter (run_count > 1) as repeated_count,
        count(*) filter (is_drifting) as drifting_count,
        string_agg(configuration_name || format(' (CV {:.1f} %)', 100 * cv), ', ' order by cv desc, configuration_name)
            filter (grade = 'unstable') as unstable_names,
        string_agg(
            configuration_name || ' (' || concat_ws(
                ' ', format('{:+.1f} %', 100 * drift), format('[{:+.1f}, {:+.1f}]', 100 * drift_low, 100 * drift_high)
            ) || ')', ', ' order by abs(drift) desc, configuration_name
        ) filter (is_drifting) as drifting_names,
        any_value(machine_run_spread) as run_spread,
        sum(outlier_count)::bigint as outlier_count,
        sum(first_outlier_count)::bigint as first_outlier_count,
        sum(judged_count)::bigint as judged_count,
        sum(request_count)::bigint as request_count
    from stability
    inner join configuration_names using (configuration_id)
    group by machine
),
spread as (
    select machine, configuration_name, cv, cv_low, cv_high
    from stability
    inner join configuration_names using (configuration_id)
    where cv is not null
    qualify row_number() over (partition by machine order by cv desc, configuration_name) = 1
),
within_runs as (
    select machine, count(*) as positioned_run_count, count(*) filter (is_drifting) as drifting_run_count
    from position_drift
    inner join stg_runs using (run_id)
    where suite is distinct from 'context' and request_count >= 6
    group by machine
),
versions as (
    select
        machine,
        count(*) filter (version_before is not null) as update_count,
        count(*) filter (verdict = 'one run a side') as single_update_count,
        count(*) filter (verdict = 'regression') as regression_count,
        count(*) filter (verdict = 'faster') as faster_count,
        string_agg(label || ' under ' || version, ', ' order by label, version) filter (verdict = 'regression') as regression_names
    from runtime_history
    group by machine
)
select
    machines.machine,
    coalesce(graded.configuration_count, 0) as configuration_count,
    coalesce(graded_count, 0) as graded_count,
    coalesce(stable_count, 0) as stable_count,
    coalesce(acceptable_count, 0) as acceptable_count,
    coalesce(unstable_count, 0) as unstable_count,
    coalesce(provisional_count, 0) as provisional_count,
    coalesce(repeated_count, 0) as repeated_count,
    coalesce(drifting_count, 0) as drifting_count,
    unstable_names, drifting_names,
    coalesce(request_count, 0) as request_count,
    spread.configuration_name as widest_name,
    spread.cv, spread.cv_low, spread.cv_high,
    graded.run_spread,
    exp(sqrt(between_runs.run_variance) * sd_low(between_runs.degrees)) - 1 as run_spread_low,
    exp(sqrt(between_runs.run_variance) * sd_high(between_runs.degrees)) - 1 as run_spread_high,
    coalesce(between_runs.run_count, 0) as spread_run_count,
    coalesce(between_runs.configuration_count, 0) as spread_configuration_count,
    coalesce(outlier_count, 0) as outlier_count,
    coalesce(first_outlier_count, 0) as first_outlier_count,
    coalesce(judged_count, 0) as judged_count,
    coalesce(positioned_run_count, 0) as positioned_run_count,
    coalesce(drifting_run_count, 0) as drifting_run_count,
    coalesce(update_count, 0) as update_count,
    coalesce(single_update_count, 0) as single_update_count,
    coalesce(regression_count, 0) as regression_count,
    coalesce(faster_count, 0) as faster_count,
    regression_names
from (select 1 as one)
left join machines on true
left join graded on graded.machine = machines.machine
left join spread on spread.machine = machines.machine
left join machine_spread as between_runs on between_runs.machine = machines.machine and between_runs.figure = 'decode'
left join within_runs on within_runs.machine = machines.machine
left join versions on versions.machine = machines.machine
order by place;

comment on view stability_overview is 'One row per machine, one without machine before anything was measured: how steady its configurations are.';
comment on column stability_overview.machine is 'Chip, GPU cores, memory; NULL before anything was measured.';
comment on column stability_overview.configuration_count is 'Configurations with runs of a suite.';
comment on column stability_overview.graded_count is 'Those with a prompt that has two valid repeats.';
comment on column stability_overview.stable_count is 'CV up to 2 %.';
comment on column stability_overview.acceptable_count is 'CV up to 5 %.';
comment on column stability_overview.unstable_count is 'CV above.';
comment on column stability_overview.provisional_count is 'Those whose grade the interval leaves open.';
comment on column stability_overview.repeated_count is 'Configurations with more than one whole run.';
comment on column stability_overview.drifting_count is 'Those whose last run differs from the first by more than 3 %.';
comment on column stability_overview.unstable_names is 'Which are unstable, with their CV.';
comment on column stability_overview.drifting_names is 'Which drift, with the change from the first run to the last.';
comment on column stability_overview.request_count is 'Requests behind the grades.';
comment on column stability_overview.widest_name is 'The configuration whose repeats differ most.';
comment on column stability_overview.cv is 'Its coefficient of variation.';
comment on column stability_overview.cv_low is 'Lower end of its 95 % interval.';
comment on column stability_overview.cv_high is 'Upper end of its 95 % interval.';
comment on column stability_overview.positioned_run_count is 'Runs with at least six requests, enough to see a drift within.';
comment on column stability_overview.drifting_run_count is 'Those in which speed changed steadily from beginning to end.';
comment on column stability_overview.update_count is 'Changes of a version of server, engine or system within a configuration''s history.';
comment on column stability_overview.regression_count is 'Those after which it was slower by more than 3 %.';
comment on column stability_overview.faster_count is 'Those after which it was faster by more than 3 %.';
comment on column stability_overview.regression_names is 'Which became slower, and under which versions.';
comment on column stability_overview.run_spread is 'By how much a run is typically off: standard deviation of decode speed from run to run, pooled over configurations, as a share.';
comment on column stability_overview.run_spread_low is 'Lower end of its 95 % interval, chi-squared.';
comment on column stability_overview.run_spread_high is 'Upper end of it.';
comment on column stability_overview.spread_run_count is 'Runs it is taken from.';
comment on column stability_overview.spread_configuration_count is 'Configurations these are of.';
comment on column stability_overview.outlier_count is 'Requests whose speed is an outlier of its prompt; they count.';
comment on column stability_overview.first_outlier_count is 'Those of them that were the first of their run.';
comment on column stability_overview.judged_count is 'Requests that were judged for it: those of a prompt with five or more.';
comment on column stability_overview.single_update_count is 'Changes of versions with one run a side, which decide nothing.';
