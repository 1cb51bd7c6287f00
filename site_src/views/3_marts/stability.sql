-- CV within runs: root mean square over prompts of the CV over repeats. Its interval: chi-squared over all degrees of
-- freedom. A grade (to 2, to 5 %, above) is settled while the interval stays below 5 or 10 %, or above 5 %.
create or replace view stability as
with
within as (
    select
        configuration_id,
        sqrt(avg(decode_cv * decode_cv)) as cv,
        sum(decode_count - 1)::bigint as cv_degrees,
        count(distinct prompt_sha256) as prompt_count,
        sum(decode_count)::bigint as request_count
    from prompt_speed
    inner join run_versions using (run_id)
    inner join configurations using (configuration_id)
    where decode_count > 1 and is_current and not is_ladder
    group by configuration_id
),
between_runs as (
    select set_id as configuration_id, stddev_samp(center) as cv_between_runs, count(center) as run_count
    from set_runs
    where figure = 'decode' and set_id in (select configuration_id from configurations)
    group by set_id
),
bounded as (
    select
        configurations.*,
        cv,
        cv * sd_low(cv_degrees) as cv_low,
        cv * sd_high(cv_degrees) as cv_high,
        coalesce(cv_degrees, 0) as cv_degrees,
        coalesce(prompt_count, 0) as prompt_count,
        coalesce(request_count, 0) as request_count,
        coalesce(between_runs.run_count, 0) as run_count,
        cv_between_runs,
        exp(configuration_drift.drift) - 1 as drift,
        exp(configuration_drift.drift - t_of(spread.degrees) * sqrt(2 * spread.run_variance)) - 1 as drift_low,
        exp(configuration_drift.drift + t_of(spread.degrees) * sqrt(2 * spread.run_variance)) - 1 as drift_high,
        spread.run_spread as machine_run_spread,
        jitter_ms, coalesce(jitter_count, 0) as jitter_count,
        coalesce(outlier_count, 0) as outlier_count, coalesce(first_outlier_count, 0) as first_outlier_count,
        coalesce(judged_count, 0) as judged_count
    from configurations
    left join within using (configuration_id)
    left join between_runs using (configuration_id)
    left join configuration_drift using (configuration_id)
    left join machine_spread as spread on spread.machine = configurations.machine and spread.figure = 'decode'
    left join configuration_requests using (configuration_id)
    where not is_ladder
)
select
    configuration_id, label, machine, server, model, runtime, quantization, bits, context_effective, suite,
    cv, cv_low, cv_high, cv_degrees, cv_between_runs, machine_run_spread, drift, drift_low, drift_high,
    prompt_count, request_count, run_count, jitter_ms, jitter_count, outlier_count, first_outlier_count, judged_count,
    abs(drift) > 0.03 as is_drifting,
    case when cv is null then null when cv <= 0.02 then 'stable' when cv <= 0.05 then 'acceptable' else 'unstable' end
        as grade,
    case
        when cv is null then 'unknown'
        when cv <= 0.02 and cv_high >= 0.05 then 'provisional'
        when cv > 0.02 and cv <= 0.05 and cv_high >= 0.10 then 'provisional'
        when cv > 0.05 and cv_low <= 0.05 then 'provisional'
        else 'settled'
    end as verdict,
    nullif(concat_ws(
        '; ',
        if(cv is null, 'no prompt with two valid repeats', null),
        if(run_count < 2, 'one run: nothing is known of the difference between runs', null),
        if(first_outlier_count > 0, format('the first request of a run was an outlier: {}', first_outlier_count), null),
        if(abs(drift) > 0.03, format('speed changed by {:.1f} % from the first run to the last', 100 * drift), null)
    ), '') as reason
from bounded
order by label, configuration_id;

comment on view stability is 'One row per configuration: how much decode speed varies, within a run and between runs, and how sure that is.';
comment on column stability.configuration_id is 'The configuration.';
comment on column stability.label is 'Model, quantization, engine.';
comment on column stability.machine is 'Chip, GPU cores, memory.';
comment on column stability.server is 'The program that answered.';
comment on column stability.model is 'The model.';
comment on column stability.runtime is 'Engine that ran the model.';
comment on column stability.quantization is 'Its quantization.';
comment on column stability.bits is 'Nominal bits per weight.';
comment on column stability.context_effective is 'Context length the server had, tokens.';
comment on column stability.suite is 'Prompt suite.';
comment on column stability.cv is 'Coefficient of variation of decode speed over the repeats of a prompt, pooled over prompts and runs.';
comment on column stability.cv_low is 'Lower end of its 95 % interval.';
comment on column stability.cv_high is 'Upper end of its 95 % interval.';
comment on column stability.cv_degrees is 'Degrees of freedom behind it.';
comment on column stability.cv_between_runs is 'Standard deviation of ln(decode speed) between runs.';
comment on column stability.drift is 'Relative change from the first run to the last.';
comment on column stability.prompt_count is 'Prompts with two valid repeats.';
comment on column stability.request_count is 'Requests behind it.';
comment on column stability.run_count is 'Runs with a decode speed.';
comment on column stability.is_drifting is 'Whether the last run differs from the first by more than 3 %.';
comment on column stability.grade is 'stable: CV up to 2 %; acceptable: up to 5 %; unstable: above.';
comment on column stability.verdict is 'settled; provisional: the interval reaches 5 % of a stable one, 10 % of an acceptable one, or down to 5 % of an unstable one; unknown.';
comment on column stability.reason is 'What is missing or doubtful.';
comment on column stability.machine_run_spread is 'By how much a run of this machine is typically off: standard deviation from run to run, pooled over its configurations, as a share.';
comment on column stability.drift_low is 'Lower end of the 95 % interval of the change, with that spread for both runs.';
comment on column stability.drift_high is 'Upper end of it.';
comment on column stability.jitter_ms is 'Inter-token jitter: 95th percentile less median of the time between tokens, median over requests, ms.';
comment on column stability.jitter_count is 'Requests behind it: those with a token a chunk and 200 tokens or more.';
comment on column stability.outlier_count is 'Requests whose speed is an outlier of its prompt (modified z-score above 3.5); they count.';
comment on column stability.first_outlier_count is 'Those of them that were the first of their run.';
comment on column stability.judged_count is 'Requests that were judged for it: those of a prompt with five or more.';
