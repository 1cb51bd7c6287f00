-- What was taken while texts for judging were written is left out: those are longer, and not every run has them.
create or replace view stg_memory as
with
samples as (
    select
        file,
        run_id,
        op,
        max(started_ns + elapsed_ns) filter (op = 'unload') over (partition by file) as at_unload_ns,
        min(started_ns) filter (op in ('quality', 'fidelity')) over (partition by file) as judged_from_ns,
        unnest(memory) as sample
    from raw_details
),
loaded as (
    select file, started_ns + elapsed_ns as loaded_ns, started_ns as load_started_ns
    from raw_details
    where op = 'load'
)
select
    samples.file,
    samples.run_id,
    samples.op,
    samples.sample.at_ns,
    samples.sample.at_ns < loaded.load_started_ns as is_baseline,
    samples.sample.system_used_bytes,
    samples.sample.engine_pss_bytes,
    samples.sample.engine_rss_bytes,
    samples.sample.engine_footprint_bytes,
    samples.sample.engine_footprint_max_bytes,
    samples.sample.swap_used_bytes,
    samples.sample.compressor_bytes,
    samples.sample.pressure_level,
    samples.sample.thermal_level,
    samples.at_unload_ns is not null and samples.sample.at_ns > samples.at_unload_ns as is_after_unload
from samples
left join loaded using (file)
where coalesce(samples.sample.at_ns < judged_from_ns or samples.sample.at_ns > at_unload_ns, judged_from_ns is null);

comment on view stg_memory is 'One row per memory sample, of the runs whose samples are at hand (shown_runs).';
comment on column stg_memory.file is 'The run file.';
comment on column stg_memory.run_id is 'The run.';
comment on column stg_memory.op is 'Operation it fell into; idle between operations.';
comment on column stg_memory.at_ns is 'When, in ns since the run began.';
comment on column stg_memory.is_baseline is 'Taken before the model was loaded; NULL where it was loaded before the run.';
comment on column stg_memory.system_used_bytes is 'Memory in use on the whole machine.';
comment on column stg_memory.engine_pss_bytes is 'Proportional set size of the engine''s processes (Linux).';
comment on column stg_memory.engine_footprint_bytes is 'Physical footprint of the engine''s processes (macOS).';
comment on column stg_memory.engine_footprint_max_bytes is 'The sum of its maxima over their lives (macOS).';
comment on column stg_memory.swap_used_bytes is 'Swap in use.';
comment on column stg_memory.compressor_bytes is 'Memory that holds compressed pages (macOS).';
comment on column stg_memory.pressure_level is 'Memory pressure: 1 normal, 2 warn, 4 critical (macOS).';
comment on column stg_memory.thermal_level is 'Thermal pressure: 0 nominal to 4 (macOS).';
comment on column stg_memory.is_after_unload is 'Taken after the model was unloaded.';
comment on column stg_memory.engine_rss_bytes is 'Resident set size of the engine''s processes.';
