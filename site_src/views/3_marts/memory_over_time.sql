-- Of a configuration the latest run with samples, in two hundred equal stretches of time: of each the sample with most
-- in use (of the machine on macOS, of the engine on Linux), so that no peak is lost. Samples taken while texts for
-- judging were written are left out, as in the peak.
create or replace view memory_over_time as
with
times as (
    select
        run_id,
        min(started_ns) filter (op = 'load') as load_ns,
        max(started_ns + elapsed_ns) filter (op = 'load') as loaded_ns,
        min(started_ns) filter (op in ('request', 'context')) as asked_ns,
        max(started_ns + elapsed_ns) filter (op in ('request', 'warm', 'context')) as answered_ns
    from raw_facts
    where run_id in (select run_id from shown_samples)
    group by run_id
),
samples as (
    select
        shown_samples.*,
        at_ns,
        system_used_bytes,
        nullif(if(is_macos, engine_footprint_bytes, engine_pss_bytes), 0) as engine_bytes,
        case
            when at_ns < load_ns then 'before loading'
            when at_ns <= loaded_ns then 'loading'
            when at_ns < asked_ns then 'before requests'
            when at_ns <= answered_ns then 'requests'
            else 'afterwards'
        end as phase,
        (at_ns - min(at_ns) over run) * 200 // (max(at_ns) over run - min(at_ns) over run + 1) as stretch
    from stg_memory
    inner join shown_samples using (run_id)
    inner join times using (run_id)
    window run as (partition by run_id)
),
kept as (
    select * from samples
    qualify row_number() over (
        partition by run_id, stretch
        order by if(is_macos, system_used_bytes, engine_bytes) desc nulls last, system_used_bytes desc nulls last, at_ns
    ) = 1
),
followed as (
    select *, lead(at_ns, 1, at_ns) over (partition by run_id order by at_ns) as next_ns from kept
),
readings as (
    select *, unnest([
        {'figure': 'in use on the machine', 'bytes': system_used_bytes}, {'figure': 'engine', 'bytes': engine_bytes}
    ]) as reading
    from followed
)
select
    configuration_id, label, machine, run_id, run_started_at,
    at_ns / 1e9 as seconds,
    reading.figure as figure,
    gb(reading.bytes) as memory_gb,
    phase,
    min(at_ns) over stretch_of_phase / 1e9 as phase_from_s,
    max(next_ns) over stretch_of_phase / 1e9 as phase_to_s,
    row_number() over (partition by run_id, phase order by at_ns, figure) = 1 as is_first_of_phase
from readings
where reading.bytes is not null
window stretch_of_phase as (partition by run_id, phase)
order by run_started_at desc, run_id, at_ns, figure desc;

comment on view memory_over_time is 'One row per sample and figure of the latest run of each configuration, at most 200 samples of a run.';
comment on column memory_over_time.configuration_id is 'The configuration.';
comment on column memory_over_time.label is 'Model, quantization, engine.';
comment on column memory_over_time.machine is 'Chip, GPU cores, memory.';
comment on column memory_over_time.run_id is 'The run.';
comment on column memory_over_time.run_started_at is 'When it began, UTC.';
comment on column memory_over_time.seconds is 'Since the run began.';
comment on column memory_over_time.figure is 'in use on the machine, or engine: footprint of its processes on macOS, PSS on Linux.';
comment on column memory_over_time.memory_gb is 'That, GB.';
comment on column memory_over_time.phase is 'before loading, loading, before requests, requests, afterwards.';
comment on column memory_over_time.phase_from_s is 'First sample of that phase, seconds since the run began.';
comment on column memory_over_time.phase_to_s is 'First sample after it.';
comment on column memory_over_time.is_first_of_phase is 'Whether this is the first row of its phase, which a band is drawn from.';
