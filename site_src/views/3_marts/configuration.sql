-- What a configuration's own page begins with. A context ladder has figures of its own kind, and none of a suite's.
create or replace view configuration as
with
told as (
    select
        runs.configuration_id,
        any_value(runs.ladder_id order by run_id) as ladder_id,
        count(*) as run_count,
        min(runs.run_started_at) as first_run_at,
        max(runs.run_started_at) as latest_run_at,
        string_agg(distinct runs.runtime_version, ', ' order by runs.runtime_version) as runtime_versions,
        string_agg(distinct stg_runs.os, ', ' order by stg_runs.os) as systems,
        max(runs.file_gb) as file_gb,
        string_agg(distinct runs.reason, '; ' order by runs.reason) as reason
    from runs
    inner join (select run_id, os from stg_runs) as stg_runs using (run_id)
    group by runs.configuration_id
),
checked as (
    select
        configuration_id,
        count(*) as check_count,
        count(*) filter (verdict = 'warn') as warned_check_count,
        count(*) filter (verdict = 'fail') as failed_check_count
    from run_checks
    group by configuration_id
)
select
    configurations.* exclude (file_bytes),
    coalesce(configuration_name, configurations.label || ', context ladder') as name,
    told.* exclude (configuration_id, ladder_id),
    summary.decode_tps, summary.decode_tps_low, summary.decode_tps_high, summary.interval_kind,
    summary.decode_tps_within_low, summary.decode_tps_within_high,
    coalesce(summary.decode_run_count, 0) as decode_run_count, coalesce(summary.older_run_count, 0) as older_run_count,
    summary.sustained_tps,
    coalesce(summary.decode_count, 0) as decode_count,
    summary.ttft_ms, summary.ttft_ms_low, summary.ttft_ms_high, summary.ttft_ms_p95, coalesce(summary.ttft_count, 0) as ttft_count,
    summary.prefill_tps, summary.prefill_tps_low, summary.prefill_tps_high,
    coalesce(summary.prefill_count, 0) as prefill_count,
    coalesce(summary.prompt_count, 0) as prompt_count,
    coalesce(summary.request_count, 0) as request_count,
    coalesce(summary.failed_count, 0) as failed_count,
    coalesce(summary.excluded_count, 0) as excluded_count,
    summary.exclusion,
    coalesce(summary.partial_run_count, 0) as partial_run_count,
    summary.cv, stability.grade as stability_grade, stability.verdict as stability_verdict,
    summary.peak_memory_gb, summary.peak_memory_kind, summary.peak_memory_count, summary.memory_confidence,
    summary.load_s, summary.load_kind, coalesce(summary.load_count, 0) as load_count,
    coalesce(quality.gate, 'unproven') as quality_gate,
    quality.passed_count, coalesce(quality.checked_count, 0) as checked_count,
    ladder.context_usable, ladder.context_usable_below, ladder.context_accepted,
    coalesce(check_count, 0) as check_count,
    coalesce(warned_check_count, 0) as warned_check_count,
    coalesce(failed_check_count, 0) as failed_check_count,
    if(configurations.server is distinct from 'lmstudio', 'not measured through LM Studio, so part of no verdict', null) as scope_reason
from configurations
left join configuration_names using (configuration_id)
inner join told using (configuration_id)
left join run_summary as summary using (configuration_id)
left join (select configuration_id, grade, verdict from stability) as stability using (configuration_id)
left join configuration_quality as quality using (configuration_id)
left join context_utilization as ladder on ladder.ladder_id = told.ladder_id
left join checked using (configuration_id)
order by configurations.machine, told.latest_run_at desc, configurations.configuration_id;

comment on view configuration is 'One row per configuration, ladders among them: what it is, its headline figures and what is doubtful. Each has a page.';
comment on column configuration.configuration_id is 'The configuration; its page is called so.';
comment on column configuration.label is 'Model, quantization, engine.';
comment on column configuration.machine is 'Chip, GPU cores, memory.';
comment on column configuration.server is 'The program that answered.';
comment on column configuration.endpoint is 'Path that timed requests went to.';
comment on column configuration.model is 'The model.';
comment on column configuration.runtime is 'Engine that ran it.';
comment on column configuration.quantization is 'Its quantization.';
comment on column configuration.bits is 'Nominal bits per weight.';
comment on column configuration.context_effective is 'Context length the server had, tokens.';
comment on column configuration.parallel is 'Slots for requests at once.';
comment on column configuration.sampling is 'Sampling parameters as sent.';
comment on column configuration.suite is 'Prompt suite; context: a ladder.';
comment on column configuration.is_ladder is 'Whether it is a context ladder, which has no figures of a suite.';
comment on column configuration.is_forced is 'Whether any run was measured although a check had failed.';
comment on column configuration.server_versions is 'Versions of the server over its runs.';
comment on column configuration.name is 'Its label; with suite, context and server where several configurations of the machine share it. A ladder says that it is one.';
comment on column configuration.run_count is 'Runs, one file each.';
comment on column configuration.first_run_at is 'When the first began, UTC.';
comment on column configuration.latest_run_at is 'When the latest began, UTC.';
comment on column configuration.runtime_versions is 'Versions of the engine over its runs.';
comment on column configuration.systems is 'Operating systems over its runs.';
comment on column configuration.file_gb is 'Weights on disk, GB.';
comment on column configuration.reason is 'What is missing or doubtful in its runs.';
comment on column configuration.decode_tps is 'Decode speed, tokens/s: geometric mean over runs.';
comment on column configuration.decode_tps_low is 'Lower end of its 95 % interval.';
comment on column configuration.decode_tps_high is 'Upper end of its 95 % interval.';
comment on column configuration.decode_count is 'Requests behind it.';
comment on column configuration.ttft_ms is 'Time to first token, ms, likewise.';
comment on column configuration.ttft_ms_low is 'Lower end of its 95 % interval.';
comment on column configuration.ttft_ms_high is 'Upper end of its 95 % interval.';
comment on column configuration.ttft_count is 'Requests behind it.';
comment on column configuration.prefill_tps is 'Prefill speed, tokens/s, over prompts of 512 tokens and more.';
comment on column configuration.prefill_tps_low is 'Lower end of its 95 % interval.';
comment on column configuration.prefill_tps_high is 'Upper end of its 95 % interval.';
comment on column configuration.prefill_count is 'Requests behind it.';
comment on column configuration.prompt_count is 'Prompts.';
comment on column configuration.request_count is 'Requests measured, failed ones included.';
comment on column configuration.failed_count is 'Requests that failed.';
comment on column configuration.excluded_count is 'Requests that went well and are left out nevertheless.';
comment on column configuration.exclusion is 'Why they are left out.';
comment on column configuration.partial_run_count is 'Runs without all prompts; their speeds are left out.';
comment on column configuration.cv is 'Coefficient of variation of decode speed over repeats.';
comment on column configuration.stability_grade is 'stable (to 2 %), acceptable (to 5 %) or unstable.';
comment on column configuration.stability_verdict is 'settled, provisional or unknown: how sure the grade is.';
comment on column configuration.peak_memory_gb is 'Highest peak memory over its runs, GB.';
comment on column configuration.peak_memory_kind is 'What that figure holds.';
comment on column configuration.peak_memory_count is 'Runs with a peak of that kind.';
comment on column configuration.memory_confidence is 'How sure it is: high, medium or low.';
comment on column configuration.load_s is 'Median load time, seconds.';
comment on column configuration.load_count is 'Loads behind it.';
comment on column configuration.quality_gate is 'Quality of its build: pass, warn, fail or unproven.';
comment on column configuration.passed_count is 'Prompts whose answers passed their checks.';
comment on column configuration.checked_count is 'Prompts with a judged answer.';
comment on column configuration.context_usable is 'Largest rung of a ladder that passed, tokens; NULL: none was climbed.';
comment on column configuration.context_usable_below is 'The first rung that did not pass.';
comment on column configuration.context_accepted is 'Longest prompt whose tokens were all counted, tokens.';
comment on column configuration.check_count is 'Checks before measuring, over its runs.';
comment on column configuration.warned_check_count is 'Those that warned.';
comment on column configuration.failed_check_count is 'Those that failed.';
comment on column configuration.scope_reason is 'Why it is part of no verdict; NULL if it is.';
comment on column configuration.interval_kind is 'between runs: its interval holds what runs of this machine differ by; within this run: no configuration has two runs yet, and it does not.';
comment on column configuration.decode_tps_within_low is 'Lower end of the 95 % interval that repeats within the runs give.';
comment on column configuration.decode_tps_within_high is 'Upper end of it.';
comment on column configuration.decode_run_count is 'Runs behind the decode speed.';
comment on column configuration.older_run_count is 'Runs under other versions of the engine: no figure here holds them, the history does.';
comment on column configuration.sustained_tps is 'Sustained rate, tokens/s: all tokens over all the time they took, so that long answers weigh most.';
comment on column configuration.ttft_ms_p95 is '95th percentile of the time to first token over all requests, ms.';
comment on column configuration.load_kind is 'warm, cold, or not known.';
