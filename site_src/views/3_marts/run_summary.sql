-- Several runs of one configuration: geometric mean over runs. A run without all prompts, such as one that was interrupted,
-- is no measure of all of them: its speeds are left out.
create or replace view run_summary as
with
judged as (
    select *, coalesce(decode_prompt_count = max(decode_prompt_count) over (partition by configuration_id), true) as is_whole
    from runs
    where server is distinct from 'llama-bench' and suite is distinct from 'context'  -- they have no requests of a suite
),
whole as (
    select * replace (
        if(is_whole, decode_tps, null) as decode_tps, if(is_whole, decode_count, null) as decode_count,
        if(is_whole, decode_center, null) as decode_center, if(is_whole, decode_se, null) as decode_se,
        if(is_whole, decode_df, null) as decode_df, if(is_whole, cv, null) as cv,
        if(is_whole, ttft_ms, null) as ttft_ms, if(is_whole, ttft_count, null) as ttft_count,
        if(is_whole, ttft_center, null) as ttft_center, if(is_whole, ttft_se, null) as ttft_se,
        if(is_whole, ttft_df, null) as ttft_df,
        if(is_whole, prefill_tps, null) as prefill_tps, if(is_whole, prefill_count, null) as prefill_count,
        if(is_whole, prefill_center, null) as prefill_center, if(is_whole, prefill_se, null) as prefill_se,
        if(is_whole, prefill_df, null) as prefill_df
    )
    from judged
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
        count(*) filter (not is_whole) as partial_run_count,
        count(*) filter (is_forced) as forced_count,
        max(run_started_at) as latest_run_at,
        max(prompt_count) as prompt_count,
        sum(request_count)::bigint as request_count,
        sum(failed_count)::bigint as failed_count,
        sum(excluded_count)::bigint as excluded_count,
        string_agg(distinct exclusion, ', ' order by exclusion) as exclusion,
        coalesce(sum(decode_count), 0)::bigint as decode_count,
        geomean(decode_tps) as decode_tps,
        avg(decode_center) as decode_center,
        pooled_margin(decode_center, decode_se, decode_df) as decode_margin,
        sqrt(avg(cv * cv)) as cv,
        geomean(ttft_ms) as ttft_ms,
        avg(ttft_center) as ttft_center,
        pooled_margin(ttft_center, ttft_se, ttft_df) as ttft_margin,
        geomean(prefill_tps) as prefill_tps,
        coalesce(sum(prefill_count), 0)::bigint as prefill_count,
        avg(prefill_center) as prefill_center,
        pooled_margin(prefill_center, prefill_se, prefill_df) as prefill_margin,
        coalesce(sum(ttft_count), 0)::bigint as ttft_count,
        median(load_s) as load_s,
        count(load_s) as load_count,
        max(file_gb) as file_gb,
        string_agg(distinct reason, '; ' order by reason) as reason
    from whole
    group by configuration_id
)
select
    pooled.* exclude (decode_center, decode_margin, ttft_center, ttft_margin, prefill_center, prefill_margin),
    exp(decode_center - decode_margin) as decode_tps_low,
    exp(decode_center + decode_margin) as decode_tps_high,
    exp(ttft_center - ttft_margin) as ttft_ms_low,
    exp(ttft_center + ttft_margin) as ttft_ms_high,
    exp(prefill_center - prefill_margin) as prefill_tps_low,
    exp(prefill_center + prefill_margin) as prefill_tps_high,
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
    load_cold_s, load_cold_s_low, load_cold_s_high, coalesce(load_cold_count, 0) as load_cold_count,
    load_warm_s, load_warm_s_low, load_warm_s_high, coalesce(load_warm_count, 0) as load_warm_count,
    context_usable, context_usable_below
from pooled
left join configuration_memory using (configuration_id)
left join configuration_full_memory using (configuration_id)
left join configuration_load using (configuration_id)
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
comment on column run_summary.run_count is 'Runs.';
comment on column run_summary.forced_count is 'Runs measured although a check of the machine had failed.';
comment on column run_summary.latest_run_at is 'Beginning of the latest run, UTC.';
comment on column run_summary.prompt_count is 'Prompts.';
comment on column run_summary.request_count is 'Requests measured, failed ones included.';
comment on column run_summary.failed_count is 'Requests that failed.';
comment on column run_summary.decode_count is 'Requests with a valid decode speed.';
comment on column run_summary.decode_tps is 'Decode speed, tokens/s: geometric mean over runs and prompts of per-prompt medians.';
comment on column run_summary.decode_tps_low is 'Lower end of its 95 % interval.';
comment on column run_summary.decode_tps_high is 'Upper end of its 95 % interval.';
comment on column run_summary.cv is 'Pooled coefficient of variation of decode speed over repeats of a prompt.';
comment on column run_summary.ttft_ms is 'Time to first token, ms, likewise.';
comment on column run_summary.ttft_ms_low is 'Lower end of its 95 % interval.';
comment on column run_summary.ttft_ms_high is 'Upper end of its 95 % interval.';
comment on column run_summary.prefill_tps is 'Prefill speed, tokens/s, over prompts of 512 tokens and more.';
comment on column run_summary.prefill_count is 'Requests behind it.';
comment on column run_summary.peak_memory_gb is 'Highest peak memory of any run, GB.';
comment on column run_summary.peak_memory_count is 'Runs behind it.';
comment on column run_summary.peak_memory_kind is 'What that figure holds.';
comment on column run_summary.load_s is 'Median load time, seconds.';
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
