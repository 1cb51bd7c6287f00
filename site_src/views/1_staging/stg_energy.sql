-- What flowed in which phase of an operation. Prefill and decode are told apart by a reading at the first text: the counters
-- are read by a process of their own, when a request begins, when its first text has come and when it has ended, and where a
-- phase begins or ends between two readings, energy is taken to flow evenly between them. Not by a regression over prompts of
-- several lengths: a token of a long prompt costs more than one of a short one, in both phases, and that would be divided
-- between them by the model of the regression alone. At rest each step between two readings is a phase.
create or replace view stg_energy as
with
taken as (
    select file, run_id, op_index, op, started_ns, unnest(energy) as reading from raw_details
),
readings as (
    select
        file, run_id, op_index, op, started_ns, reading.at_ns as at_ns,
        [reading.gpu_uj, reading.cpu_uj, reading.ane_uj, reading.dram_uj, reading.gpu_busy_ticks, reading.gpu_ticks]::double[] as counts
    from taken
),
phases as (
    select file, run_id, op_index, op, 'prefill' as phase, started_ns as from_ns, started_ns + first_text_ns as to_ns
    from raw_details
    where op = 'request'
    union all
    select file, run_id, op_index, op, 'decode', started_ns + first_text_ns, started_ns + last_text_ns
    from raw_details
    where op = 'request'
    union all
    select file, run_id, op_index, op, 'all', started_ns, started_ns + elapsed_ns
    from raw_details
    where op not in ('request', 'rest', 'idle', 'probe')
    union all
    select file, run_id, op_index, op, 'rest', at_ns, lead(at_ns) over (partition by file, op_index order by at_ns)
    from readings
    where op = 'rest' and at_ns >= started_ns
),
edges as (
    select file, from_ns as at_ns from phases where from_ns < to_ns
    union
    select file, to_ns from phases where from_ns < to_ns
),
around as (
    select
        edges.file, edges.at_ns,
        least(edges.at_ns - early.at_ns, late.at_ns - edges.at_ns) as off_ns,
        list_transform(
            list_zip(early.counts, late.counts),
            lambda pair: pair[1] + (pair[2] - pair[1]) * coalesce((edges.at_ns - early.at_ns) / nullif(late.at_ns - early.at_ns, 0), 0)
        ) as counts
    from edges
    asof inner join readings as early on early.file = edges.file and edges.at_ns >= early.at_ns
    asof inner join readings as late on late.file = edges.file and edges.at_ns <= late.at_ns
)
select
    phases.file, phases.run_id, phases.op_index, phases.op, phase,
    (to_ns - from_ns) / 1e9 as seconds,
    [(after.counts[rail] - before.counts[rail]) / 1e6 for rail in range(1, 5)] as rails_j,
    (after.counts[5] - before.counts[5]) / nullif(after.counts[6] - before.counts[6], 0) as gpu_busy_share,
    greatest(after.off_ns, before.off_ns) / (to_ns - from_ns) as edge_share
from phases
inner join around as before on before.file = phases.file and before.at_ns = from_ns
inner join around as after on after.file = phases.file and after.at_ns = to_ns
where from_ns < to_ns;

comment on view stg_energy is 'One row per phase of an operation around which energy counters were read.';
comment on column stg_energy.file is 'The run file.';
comment on column stg_energy.run_id is 'The run.';
comment on column stg_energy.op_index is 'Which operation.';
comment on column stg_energy.op is 'What kind of operation.';
comment on column stg_energy.phase is 'prefill: from sending to the first text; decode: from there to the last; rest: a step at rest; all: the whole operation.';
comment on column stg_energy.seconds is 'How long it took.';
comment on column stg_energy.rails_j is 'Joules of GPU, CPU, neural engine and memory, in this order; NULL where the system has no such counter.';
comment on column stg_energy.gpu_busy_share is 'Share of the time in which the GPU worked, 0 to 1.';
comment on column stg_energy.edge_share is 'How far from a reading it begins or ends, at most, as a share of its time.';
