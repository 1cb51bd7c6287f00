-- Several runs of one configuration under the engine of today: geometric mean over runs (set_speed). A run that lacks a prompt
-- that the others have is no measure of all of them: its speeds are left out.
create or replace view run_summary as
with
known as (
    select
        configuration_id,
        count(*) filter (not is_current) as older_run_count,
        count(distinct version) filter (is_current) as version_count
    from run_versions
    group by configuration_id
),
pooled as (
    select
        configuration_id,
        any_value(machine) as machine,
        any_value(server) as server,
        any_value(runtime) as runtime,
        any_value(model) as model,
        any_value(quantization) as quantization,
        any_value(bits) as bits,
        any_value(context_effective) as context_effective,
        any_value(suite) as suite,
        any_value(label) as label,
        any_value(ladder_id) as ladder_id,
        count(*) as run_count,
        count(decode_tps) as speed_run_count,
        count(*) filter (is_forced) as forced_count,
        max(run_started_at) as latest_run_at,
        max(prompt_count) as prompt_count,
        sum(request_count)::bigint as request_count,
        sum(failed_count)::bigint as failed_count,
        sum(excluded_count)::bigint as excluded_count,
        string_agg(distinct exclusion, ', ' order by exclusion) as exclusion,
        sqrt(avg(cv * cv)) as cv,
        max(file_gb) as file_gb,
        string_agg(distinct reason, '; ' order by reason) as reason
    from runs
    semi join (select run_id from run_versions where is_current) as current using (run_id)
    where suite is distinct from 'context'  -- a ladder has no requests of a suite
    group by configuration_id
)
select
    pooled.* exclude (cv, reason, speed_run_count),
    older_run_count,
    coalesce(decode_run_count, 0) as decode_run_count,
    speed_run_count - coalesce(decode_run_count, 0) as partial_run_count,
    coalesce(decode_count, 0) as decode_count,
    decode_tps, decode_tps_low, decode_tps_high, decode_tps_within_low, decode_tps_within_high, interval_kind,
    cv,
    sustained_tps,
    ttft_ms, ttft_ms_low, ttft_ms_high, ttft_ms_p95,
    coalesce(ttft_count, 0) as ttft_count,
    prefill_tps, prefill_tps_low, prefill_tps_high,
    coalesce(prefill_count, 0) as prefill_count,
    configuration_memory.peak_memory_gb,
    configuration_memory.peak_memory_gb_min,
    coalesce(configuration_memory.peak_memory_count, 0) as peak_memory_count,
    configuration_memory.peak_memory_kind,
    configuration_memory.memory_confidence,
    peak_short_gb,
    peak_full_gb,
    if(peak_full_gb is null, null, peak_full_kind) as peak_full_kind,
    if(peak_full_gb is null, null, peak_full_confidence) as peak_full_confidence,
    peak_full_reason,
    load_s, load_kind, coalesce(load_count, 0) as load_count,
    load_cold_s, load_cold_s_low, load_cold_s_high, coalesce(load_cold_count, 0) as load_cold_count,
    load_warm_s, load_warm_s_low, load_warm_s_high, coalesce(load_warm_count, 0) as load_warm_count,
    context_usable, context_usable_below,
    decode_j_per_token, decode_j_per_token_low, decode_j_per_token_high,
    prefill_j_per_token, prefill_j_per_token_low, prefill_j_per_token_high,
    energy_interval_kind, coalesce(energy_run_count, 0) as energy_run_count, decode_watts, energy_kind, energy_reason,
    nullif(concat_ws(
        '; ',
        if(decode_run_count = 1, 'one run', null),
        if(interval_kind = 'within this run', 'its interval holds within this run alone', null),
        if(decode_prompt_count < prompt_count, format('prompts with a speed in each run: {} of {}', decode_prompt_count, prompt_count), null),
        if(speed_run_count > decode_run_count, format('runs that lack a prompt left out: {} of {}', speed_run_count - decode_run_count, speed_run_count), null),
        if(older_run_count > 0, 'runs under other versions of the engine left out: ' || older_run_count, null),
        if(version_count > 1, 'versions of server or system it was measured under: ' || version_count, null),
        pooled.reason
    ), '') as reason
from pooled
inner join known using (configuration_id)
left join set_speeds on set_speeds.set_id = configuration_id
left join (
    select configuration_id, sustained_tps, ttft_ms_p95 from configuration_requests
) as singly using (configuration_id)
left join configuration_memory using (configuration_id)
left join configuration_full_memory using (configuration_id)
left join configuration_load using (configuration_id)
left join configuration_energy using (configuration_id)
left join (
    select ladder_id, context_usable, context_usable_below from context_utilization
) as ladders using (ladder_id)
order by latest_run_at desc, configuration_id;

comment on view run_summary is 'One row per configuration: machine, server, engine, model, quantization, context, sampling and suite.';
comment on column run_summary.configuration_id is 'The configuration.';
comment on column run_summary.machine is 'Chip, GPU cores, memory.';
comment on column run_summary.server is 'The program that answered.';
comment on column run_summary.runtime is 'Engine that ran the model.';
comment on column run_summary.model is 'The model.';
comment on column run_summary.quantization is 'Its quantization.';
comment on column run_summary.bits is 'Nominal bits per weight.';
comment on column run_summary.context_effective is 'Context length the server had, tokens.';
comment on column run_summary.suite is 'Prompt suite.';
comment on column run_summary.label is 'Model, quantization, engine.';
comment on column run_summary.run_count is 'Runs under the newest version of its engine.';
comment on column run_summary.older_run_count is 'Runs under other versions of it: no figure here holds them, the history does.';
comment on column run_summary.decode_run_count is 'Runs behind the decode speed.';
comment on column run_summary.forced_count is 'Runs measured although a check of the machine had failed.';
comment on column run_summary.latest_run_at is 'Beginning of the latest run, UTC.';
comment on column run_summary.prompt_count is 'Prompts.';
comment on column run_summary.request_count is 'Requests measured, failed ones included.';
comment on column run_summary.failed_count is 'Requests that failed.';
comment on column run_summary.decode_count is 'Requests with a valid decode speed.';
comment on column run_summary.decode_tps is 'Decode speed, tokens/s: geometric mean over runs and prompts of per-prompt medians.';
comment on column run_summary.decode_tps_low is 'Lower end of the 95 % interval in which it lies on another day: Student-t with the spread of runs of this machine.';
comment on column run_summary.decode_tps_high is 'Upper end of it.';
comment on column run_summary.decode_tps_within_low is 'Lower end of the 95 % interval that repeats within the runs give.';
comment on column run_summary.decode_tps_within_high is 'Upper end of it.';
comment on column run_summary.interval_kind is 'between runs: intervals hold what runs of this machine differ by; within this run: no configuration has two runs yet, and they do not.';
comment on column run_summary.cv is 'Pooled coefficient of variation of decode speed over repeats of a prompt.';
comment on column run_summary.sustained_tps is 'Sustained rate, tokens/s: all tokens over all the time they took, so that long answers weigh most.';
comment on column run_summary.ttft_ms_p95 is '95th percentile of the time to first token over all requests, ms.';
comment on column run_summary.ttft_ms is 'Time to first token, ms, likewise.';
comment on column run_summary.ttft_ms_low is 'Lower end of its 95 % interval.';
comment on column run_summary.ttft_ms_high is 'Upper end of its 95 % interval.';
comment on column run_summary.prefill_tps is 'Prefill speed, tokens/s, over prompts of 512 tokens and more.';
comment on column run_summary.prefill_count is 'Requests behind it.';
comment on column run_summary.peak_memory_gb is 'Highest peak memory of any run, GB.';
comment on column run_summary.peak_memory_count is 'Runs behind it.';
comment on column run_summary.peak_memory_kind is 'What that figure holds.';
comment on column run_summary.load_s is 'Median load time, seconds: of warm loads where there are any, else of cold ones, else of those of unknown kind.';
comment on column run_summary.load_kind is 'warm, cold, or not known.';
comment on column run_summary.load_count is 'Loads behind it.';
comment on column run_summary.file_gb is 'Weights on disk, GB.';
comment on column run_summary.reason is 'What is missing or doubtful in its runs.';
comment on column run_summary.excluded_count is 'Requests that went well and are left out nevertheless.';
comment on column run_summary.exclusion is 'Why they are left out.';
comment on column run_summary.memory_confidence is 'How sure its peak memory is: high, medium or low, by the least sure run.';
comment on column run_summary.peak_short_gb is 'Peak memory with the suite''s prompts, GB.';
comment on column run_summary.peak_full_gb is 'Peak memory with the whole context in use, GB.';
comment on column run_summary.peak_full_kind is 'measured by a ladder, or estimated.';
comment on column run_summary.peak_full_reason is 'How it was estimated, or why it is not known.';
comment on column run_summary.ladder_id is 'Ladders of the same machine, server, engine, model, quantization and context share it.';
comment on column run_summary.ttft_count is 'Requests behind the TTFT.';
comment on column run_summary.prefill_tps_low is 'Lower end of its 95 % interval.';
comment on column run_summary.prefill_tps_high is 'Upper end of its 95 % interval.';
comment on column run_summary.peak_memory_gb_min is 'Lowest peak memory of these runs, GB.';
comment on column run_summary.load_cold_s is 'Median load time where the file was probably not cached, seconds.';
comment on column run_summary.load_cold_s_low is 'Lower end of its 95 % interval.';
comment on column run_summary.load_cold_s_high is 'Upper end of its 95 % interval.';
comment on column run_summary.load_cold_count is 'Such loads.';
comment on column run_summary.load_warm_s is 'Median load time where the file was probably cached, seconds.';
comment on column run_summary.load_warm_s_low is 'Lower end of its 95 % interval.';
comment on column run_summary.load_warm_s_high is 'Upper end of its 95 % interval.';
comment on column run_summary.load_warm_count is 'Such loads.';
comment on column run_summary.context_usable is 'Largest rung that passed in ladders at the same context, tokens; NULL: none was climbed.';
comment on column run_summary.context_usable_below is 'The first rung that did not pass.';
comment on column run_summary.partial_run_count is 'Runs that lack a prompt that others have: their speeds are left out.';
comment on column run_summary.peak_full_confidence is 'How sure the peak is that this rests on: the ladder''s, or the short one.';
comment on column run_summary.decode_j_per_token is 'Joules for each token generated, what flows at rest subtracted: the rails in energy_kind, not what the wall delivers.';
comment on column run_summary.decode_j_per_token_low is 'Lower end of its 95 % interval.';
comment on column run_summary.decode_j_per_token_high is 'Upper end of its 95 % interval.';
comment on column run_summary.prefill_j_per_token is 'Joules for each token of the prompt, likewise, over prompts of 512 tokens and more.';
comment on column run_summary.prefill_j_per_token_low is 'Lower end of its 95 % interval.';
comment on column run_summary.prefill_j_per_token_high is 'Upper end of its 95 % interval.';
comment on column run_summary.energy_interval_kind is 'between runs, or within this run: what intervals of joules hold.';
comment on column run_summary.energy_run_count is 'Runs behind the joules.';
comment on column run_summary.decode_watts is 'What the same rails draw while decoding, W, rest included.';
comment on column run_summary.energy_kind is 'The rails that the joules hold; GPU only: the others stand still on this system.';
comment on column run_summary.energy_reason is 'Why there are no joules, or what they lack.';
