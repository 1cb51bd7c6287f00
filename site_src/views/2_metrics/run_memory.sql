-- Linux: weights of a mapped file are page cache, which the system's figure leaves out, so the engine's PSS is the peak.
-- macOS: what the machine lost since before loading; without a baseline there is no such figure.
create or replace view run_memory as
with
peaks as (
    select
        run_id,
        count(*) as sample_count,
        median(system_used_bytes) filter (is_baseline) as baseline_bytes,
        max(system_used_bytes) filter (is_baseline is not true) as system_bytes,
        max(engine_pss_bytes) as pss_bytes,
        max(engine_rss_bytes) as rss_bytes
    from stg_memory
    group by run_id
)
select
    run_id,
    coalesce(sample_count, 0) as memory_sample_count,
    gb(baseline_bytes) as baseline_gb,
    gb(system_bytes - baseline_bytes) as peak_system_gb,
    gb(pss_bytes) as peak_pss_gb,
    gb(rss_bytes) as peak_rss_gb,
    if(is_macos, gb(system_bytes - baseline_bytes), gb(pss_bytes)) as peak_memory_gb,
    if(is_macos, 'system, above baseline', 'engine PSS') as peak_memory_kind,
    case
        when sample_count is null then 'no memory samples'
        when is_macos and baseline_bytes is null then 'the model was loaded before, so there is no baseline'
        when not is_macos and pss_bytes is null then 'the engine''s process is not on this machine or not ours to see'
    end as peak_memory_reason
from stg_runs
left join peaks using (run_id);

comment on view run_memory is 'One row per run: peak memory, and what the figure means on that system.';
comment on column run_memory.run_id is 'The run.';
comment on column run_memory.memory_sample_count is 'Samples taken.';
comment on column run_memory.baseline_gb is 'Memory in use before loading, median, GB.';
comment on column run_memory.peak_system_gb is 'Highest memory in use on the machine, less the baseline, GB.';
comment on column run_memory.peak_pss_gb is 'Highest proportional set size of the engine, GB (Linux).';
comment on column run_memory.peak_rss_gb is 'Highest resident set size of the engine, GB; diagnostic.';
comment on column run_memory.peak_memory_gb is 'The headline: PSS on Linux, system above baseline on macOS, GB.';
comment on column run_memory.peak_memory_kind is 'Which of the two it is; the two are never compared.';
comment on column run_memory.peak_memory_reason is 'Why there is no figure.';
