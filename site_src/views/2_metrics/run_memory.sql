-- Linux: weights of a mapped file are page cache, which the system's figure leaves out, so the engine's PSS is the peak.
-- macOS: what the machine lost since before loading, the only figure that holds mapped weights once the GPU wired them.
-- macOS, loaded before: no baseline, so the engine's own maximum, and the file where the footprint left it out.
create or replace view run_memory as
with
last_requests as (select run_id, max(started_ns) as last_request_ns from stg_requests group by run_id),
sized as (
    select
        stg_runs.*,
        run_peaks.* exclude (file, run_id),
        system_bytes - baseline_bytes as peak_system_bytes,
        abs(after_bytes - baseline_bytes) as drift_bytes,
        if(engine_is_new or baseline_bytes is null, coalesce(footprint_max_bytes, footprint_bytes), footprint_bytes)
            as peak_footprint_bytes,
        last_at_ns < last_request_ns as is_unwatched,
        swap_grown_bytes > 500e6 or compressor_grown_bytes > 2e9 or pressure_level > 1 as is_pressured
    from stg_runs
    left join run_peaks using (run_id)
    left join last_requests using (run_id)
),
mapped as (
    select
        *,
        model_format = 'gguf' and peak_footprint_bytes < file_bytes as is_file_outside,
        peak_footprint_bytes + if(is_file_outside, file_bytes, 0) as engine_bytes,
        drift_bytes > greatest(2e9, 0.02 * peak_system_bytes) as is_drifted
    from sized
),
headed as (
    select
        *,
        case
            when not is_macos then nullif(pss_bytes, 0)
            when baseline_bytes is not null then if(is_drifted or peak_system_bytes <= 0, null, peak_system_bytes)
            else engine_bytes
        end as headline_bytes,
        case
            when not is_macos then 'engine PSS'
            when baseline_bytes is not null then 'system, above baseline'
            when is_file_outside then 'engine footprint and file'
            else 'engine footprint'
        end as kind,
        abs(peak_system_bytes - greatest(coalesce(engine_bytes, 0), coalesce(rss_bytes, 0))) as disagreement
    from mapped
)
select
    run_id,
    coalesce(sample_count, 0) as memory_sample_count,
    gb(baseline_bytes) as baseline_gb,
    gb(drift_bytes) as memory_drift_gb,
    gb(peak_system_bytes) as peak_system_gb,
    gb(peak_footprint_bytes) as peak_footprint_gb,
    gb(pss_bytes) as peak_pss_gb,
    gb(rss_bytes) as peak_rss_gb,
    gb(swap_grown_bytes) as swap_grown_gb,
    gb(headline_bytes) as peak_memory_gb,
    kind as peak_memory_kind,
    case
        when sample_count is null then 'no memory samples'
        when is_macos and baseline_bytes is not null and is_drifted
            then format('memory in use changed by {:.1f} GB without the model', gb(drift_bytes))
        when is_macos and peak_system_bytes <= 0 then 'memory in use did not grow with the model'
        when is_macos and baseline_bytes is not null and headline_bytes is null then 'no memory sample after loading'
        when is_macos and headline_bytes is null and is_load_watched and baseline_bytes is null
            then 'neither the system''s figure nor the engine''s could be read'
        when is_macos and headline_bytes is null
            then 'the model was loaded before, so there is no baseline, and its processes were not seen'
        when headline_bytes is null and is_unwatched then 'memory was sampled only at the beginning'
        when headline_bytes is null then 'the engine''s process is not on this machine, not ours to see, or not told from others'
    end as peak_memory_reason,
    case
        when headline_bytes is null then null
        when is_pressured or is_unwatched then 'low'
        when not is_macos then if(headline_bytes >= 0.9 * file_bytes and engine_found_by is distinct from 'whole tree', 'high', 'medium')
        when baseline_bytes is null then 'medium'
        when engine_bytes is null and rss_bytes is null then 'low'
        when disagreement <= greatest(3e9, 0.05 * peak_system_bytes) then 'high'
        when disagreement <= 0.1 * peak_system_bytes then 'medium'
        else 'low'
    end as memory_confidence,
    case
        when headline_bytes is null then null
        when is_pressured then 'memory was short'
        when is_unwatched then 'sampling ended before the last request'
        when not is_macos and headline_bytes < 0.9 * file_bytes then 'less than the file''s size: not all weights were in memory'
        when not is_macos and file_bytes is null then 'the file''s size is not known'
        when not is_macos and engine_found_by is not distinct from 'whole tree' then 'all of the server''s processes are in it'
        when is_macos and baseline_bytes is null and is_load_watched then 'the system''s figure could not be read'
        when is_macos and baseline_bytes is null then 'loaded before: no baseline'
        when is_macos and engine_bytes is null and rss_bytes is null then 'the engine''s processes were not seen'
        when is_macos and disagreement > greatest(3e9, 0.05 * peak_system_bytes)
            then format('system and engine differ by {:.1f} GB', gb(disagreement))
    end as memory_confidence_reason,
    headline_bytes / nullif(wired_limit_mb * 1048576.0, 0) as wired_limit_share
from headed;

comment on view run_memory is 'One row per run: peak memory, what the figure means on that system, and how sure it is.';
comment on column run_memory.run_id is 'The run.';
comment on column run_memory.memory_sample_count is 'Samples taken.';
comment on column run_memory.baseline_gb is 'Memory in use before loading, median, GB.';
comment on column run_memory.memory_drift_gb is 'How much that had changed after unloading, GB.';
comment on column run_memory.peak_system_gb is 'Highest memory in use on the machine, less the baseline, GB.';
comment on column run_memory.peak_footprint_gb is 'Highest footprint of the engine, GB (macOS): by the kernel where its processes were started for this load or the model was loaded before, else in a sample.';
comment on column run_memory.peak_pss_gb is 'Highest proportional set size of the engine, GB (Linux).';
comment on column run_memory.peak_rss_gb is 'Highest resident set size of the engine, GB; diagnostic.';
comment on column run_memory.swap_grown_gb is 'How much swap grew, GB.';
comment on column run_memory.peak_memory_gb is 'The headline, GB: PSS on Linux, system above baseline on macOS, engine''s footprint where the model was loaded before.';
comment on column run_memory.peak_memory_kind is 'Which of these it is; different kinds are never compared.';
comment on column run_memory.peak_memory_reason is 'Why there is no figure.';
comment on column run_memory.memory_confidence is 'high: two independent figures agree within 5 % or 3 GB; medium: within 10 %, or loaded before; low: they do not, or memory was short. Linux: high if it holds at least 90 % of the file.';
comment on column run_memory.memory_confidence_reason is 'What lowers it.';
comment on column run_memory.wired_limit_share is 'Peak as a share of iogpu.wired_limit_mb; NULL where that is the default.';
