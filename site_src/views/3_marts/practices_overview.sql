create or replace view practices_overview as
with
counted as (
    select
        machine,
        count(*) as practice_count,
        count(*) filter (command is null) as backed_count
    from practices
    group by machine
),
fastest as (
    select
        machine, verdict, label, decode_tps, decode_tps_low, decode_tps_high, interval_kind, memory_gb, request_count, run_count,
        confidence, evidence
    from practices
    where practice = 'model'
)
select
    counted.machine,
    coalesce(machines.is_plan, false) as is_plan,
    practice_count, backed_count, practice_count - backed_count as open_count,
    fastest.verdict, fastest.label, fastest.decode_tps, fastest.decode_tps_low, fastest.decode_tps_high, fastest.memory_gb,
    fastest.interval_kind, fastest.run_count, fastest.request_count, fastest.confidence, fastest.evidence
from counted
left join machines on machines.machine = counted.machine
left join fastest on fastest.machine is not distinct from counted.machine
order by machines.place;

comment on view practices_overview is 'One row per machine, one without before anything was measured: how much of the advice rests on its own figures.';
comment on column practices_overview.machine is 'Chip, GPU cores, memory; NULL before anything was measured.';
comment on column practices_overview.is_plan is 'Whether it has runs through LM Studio.';
comment on column practices_overview.practice_count is 'Pieces of advice that can rest on figures.';
comment on column practices_overview.backed_count is 'Those that do.';
comment on column practices_overview.open_count is 'Those that wait for a run.';
comment on column practices_overview.verdict is 'Of the fastest that fits: recommended, level, nothing measured fits, not measured.';
comment on column practices_overview.label is 'The fastest that fits the whole machine, with short prompts.';
comment on column practices_overview.decode_tps is 'Its decode speed, tokens/s.';
comment on column practices_overview.decode_tps_low is 'Lower end of its 95 % interval.';
comment on column practices_overview.decode_tps_high is 'Upper end of its 95 % interval.';
comment on column practices_overview.memory_gb is 'Its peak memory, GB.';
comment on column practices_overview.request_count is 'Requests behind it.';
comment on column practices_overview.confidence is 'high, medium or low.';
comment on column practices_overview.evidence is 'What lowers it.';
comment on column practices_overview.interval_kind is 'between runs: its interval holds what runs of this machine differ by; within this run: no configuration has two runs yet, and it does not.';
comment on column practices_overview.run_count is 'Runs behind its speed.';
