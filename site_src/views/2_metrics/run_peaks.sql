create or replace view run_peaks as
select
    file,
    run_id,
    count(*) as sample_count,
    bool_or(is_baseline is not null) as is_load_watched,
    median(system_used_bytes) filter (is_baseline) as baseline_bytes,
    median(system_used_bytes) filter (is_after_unload) as after_bytes,
    max(system_used_bytes) filter (is_baseline is not true and not is_after_unload) as system_bytes,
    max(engine_pss_bytes) as pss_bytes,
    max(engine_rss_bytes) as rss_bytes,
    max(engine_footprint_bytes) as footprint_bytes,
    max(engine_footprint_max_bytes) as footprint_max_bytes,
    max(swap_used_bytes) - arg_min(swap_used_bytes, at_ns) as swap_grown_bytes,
    max(compressor_bytes) - arg_min(compressor_bytes, at_ns) as compressor_grown_bytes,
    max(pressure_level) as pressure_level,
    max(thermal_level) as thermal_level,
    max(at_ns) as last_at_ns
from stg_memory
group by file, run_id;

comment on view run_peaks is 'One row per run with memory samples: the highest of each figure, in bytes.';
comment on column run_peaks.thermal_level is 'Highest thermal pressure: 0 nominal to 4.';
comment on column run_peaks.file is 'The run file.';
comment on column run_peaks.run_id is 'The run.';
comment on column run_peaks.is_load_watched is 'Whether the model was loaded while samples were taken.';
comment on column run_peaks.sample_count is 'Samples.';
comment on column run_peaks.baseline_bytes is 'Median in use on the machine before the load.';
comment on column run_peaks.after_bytes is 'Median after unloading.';
comment on column run_peaks.system_bytes is 'Highest in use on the machine from the load to the end of the last stream.';
comment on column run_peaks.pss_bytes is 'Highest proportional set size of the engine (Linux).';
comment on column run_peaks.rss_bytes is 'Highest resident set size of the engine.';
comment on column run_peaks.footprint_bytes is 'Highest footprint of the engine in a sample (macOS).';
comment on column run_peaks.footprint_max_bytes is 'Its maximum by the kernel, which no sample misses (macOS).';
comment on column run_peaks.swap_grown_bytes is 'Growth of swap.';
comment on column run_peaks.compressor_grown_bytes is 'Growth of compressed memory (macOS).';
comment on column run_peaks.last_at_ns is 'When the last of them was taken, in ns since the run began.';
comment on column run_peaks.pressure_level is 'Worst memory pressure.';
