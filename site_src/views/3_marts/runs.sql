create or replace view runs as
with
of_streams as (
    select
        run_id,
        count(ttft_ms) as first_count,
        any_value(ttft_reason order by op_index) filter (not is_failed) as first_reason,
        count(note) as note_count,
        any_value(note order by op_index) as note
    from request_speed
    group by run_id
)
select
    run_id,
    file,
    run_started_at,
    run_state,
    machine,
    server,
    runtime,
    runtime_version,
    runtime_proof,
    model,
    quantization,
    bits,
    context_requested,
    context_effective,
    parallel,
    suite,
    repeats,
    label,
    configuration_id,
    ladder_id,
    coalesce(prompt_count, 0) as prompt_count,
    coalesce(request_count, 0) as request_count,
    coalesce(failed_count, 0) as failed_count,
    coalesce(excluded_count, 0) as excluded_count,
    exclusion,
    run_speed.decode_tps,
    speeds.decode_tps_low,
    speeds.decode_tps_high,
    run_speed.decode_tps_within_low,
    run_speed.decode_tps_within_high,
    speeds.interval_kind,
    coalesce(decode_count, 0) as decode_count,
    coalesce(decode_prompt_count, 0) as decode_prompt_count,
    cv,
    run_speed.ttft_ms,
    speeds.ttft_ms_low,
    speeds.ttft_ms_high,
    coalesce(ttft_count, 0) as ttft_count,
    run_speed.prefill_tps,
    speeds.prefill_tps_low,
    speeds.prefill_tps_high,
    coalesce(prefill_count, 0) as prefill_count,
    peak_memory_gb,
    peak_memory_kind,
    memory_confidence,
    memory_confidence_reason,
    memory_sample_count,
    load_s,
    load_kind,
    gb(file_bytes) as file_gb,
    decode_center,
    is_forced,
    -- concat_ws leaves NULLs out; an empty text is no reason
    if(server = 'llama-bench', 'imported: its figures stand in the view llama_bench', nullif(concat_ws(
        '; ',
        if(run_state = 'interrupted', 'the run was interrupted', null),
        if(is_forced, 'measured although a check had failed', null),
        if(failed_count > 0, failed_count || ' of ' || request_count || ' requests failed', null),
        if(excluded_count > 0, excluded_count || ' of ' || request_count || ' requests left out: ' || exclusion, null),
        stop_reason,
        if(decode_count = 0, 'no decode speed: ' || decode_reason, null),
        if(first_count = 0, 'no time to first token: ' || first_reason, null),
        if(note_count > 0, note_count || ' of ' || request_count || ' requests: ' || replace(note, '; ', ', '), null),
        if(stop_kind is null, 'peak memory: ' || peak_memory_reason, null),
        if(seed_honored = false, 'the seed was not honored', null),
        if(runtime_proof is null and stop_kind is null, 'runtime not proven', null),
        if(starts_with(runtime_proof, 'contradicted') and stop_kind is null, 'runtime ' || runtime_proof, null),
        if(parallel > 1, parallel || ' slots', null),
        if(context_effective < 131072, 'context below 131,072', null),
        if(stop_kind is null, 'load time: ' || load_reason, null)
    ), '')) as reason
from stg_runs
left join run_speed using (run_id)
left join (
    select
        set_id as run_id, decode_tps_low, decode_tps_high, ttft_ms_low, ttft_ms_high, prefill_tps_low, prefill_tps_high,
        interval_kind
    from set_speeds
) as speeds using (run_id)
left join run_memory using (run_id)
left join run_load using (run_id)
left join of_streams using (run_id)
order by run_started_at desc, run_id;

comment on view runs is 'One row per run file: what was measured, with sample sizes, and what is missing and why.';
comment on column runs.run_id is 'The run.';
comment on column runs.file is 'Its file in results/runs.';
comment on column runs.run_started_at is 'When it began, UTC.';
comment on column runs.run_state is 'complete or interrupted.';
comment on column runs.machine is 'Chip, GPU cores, memory.';
comment on column runs.server is 'The program that answered.';
comment on column runs.runtime is 'Engine that ran the model.';
comment on column runs.runtime_version is 'Its version.';
comment on column runs.runtime_proof is 'How the engine is known; NULL is not proven.';
comment on column runs.model is 'The model.';
comment on column runs.quantization is 'Its quantization.';
comment on column runs.bits is 'Nominal bits per weight.';
comment on column runs.context_requested is 'Context length asked for, tokens.';
comment on column runs.context_effective is 'Context length the server had, tokens.';
comment on column runs.parallel is 'Slots for requests at once.';
comment on column runs.suite is 'Prompt suite.';
comment on column runs.repeats is 'Repeats planned per prompt.';
comment on column runs.label is 'Model, quantization, engine.';
comment on column runs.configuration_id is 'Runs with the same one measure the same.';
comment on column runs.prompt_count is 'Prompts measured.';
comment on column runs.request_count is 'Requests measured, failed ones included.';
comment on column runs.failed_count is 'Requests that failed.';
comment on column runs.decode_tps is 'Decode speed, tokens/s: geometric mean over prompts of per-prompt medians.';
comment on column runs.decode_tps_low is 'Lower end of the 95 % interval in which it lies on another day.';
comment on column runs.decode_tps_high is 'Upper end of its 95 % interval.';
comment on column runs.decode_tps_within_low is 'Lower end of the 95 % interval that repeats within the run give.';
comment on column runs.decode_tps_within_high is 'Upper end of it.';
comment on column runs.interval_kind is 'between runs: intervals hold what runs of this machine differ by; within this run: no configuration has two runs yet, and they do not.';
comment on column runs.decode_count is 'Requests behind it.';
comment on column runs.cv is 'Pooled coefficient of variation of decode speed.';
comment on column runs.ttft_ms is 'Time to first token, ms, likewise.';
comment on column runs.ttft_ms_low is 'Lower end of its 95 % interval.';
comment on column runs.ttft_ms_high is 'Upper end of its 95 % interval.';
comment on column runs.prefill_tps is 'Prefill speed, tokens/s, over prompts of 512 tokens and more.';
comment on column runs.prefill_tps_low is 'Lower end of its 95 % interval.';
comment on column runs.prefill_tps_high is 'Upper end of its 95 % interval.';
comment on column runs.ttft_count is 'Requests with a TTFT.';
comment on column runs.load_kind is 'warm where the file was probably cached, else cold; NULL where it is not known.';
comment on column runs.prefill_count is 'Requests behind it.';
comment on column runs.peak_memory_gb is 'Peak memory, GB.';
comment on column runs.peak_memory_kind is 'What that figure holds.';
comment on column runs.memory_sample_count is 'Memory samples taken.';
comment on column runs.load_s is 'Load time, seconds.';
comment on column runs.file_gb is 'Weights on disk, GB.';
comment on column runs.decode_center is 'ln of the decode speed.';
comment on column runs.is_forced is 'Measured although a check of the machine had failed.';
comment on column runs.reason is 'What is missing or doubtful, in words.';
comment on column runs.excluded_count is 'Requests that went well and are left out nevertheless.';
comment on column runs.exclusion is 'Why they are left out.';
comment on column runs.memory_confidence is 'How sure peak memory is: high, medium or low.';
comment on column runs.memory_confidence_reason is 'What lowers it.';
comment on column runs.ladder_id is 'Ladders of the same machine, server, engine, model, quantization and context share it.';
comment on column runs.decode_prompt_count is 'Prompts with a decode speed.';
