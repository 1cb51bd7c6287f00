-- What changed lately: each of the last runs beside the one before of the same configuration.
create or replace view changes as
select
    runs.run_started_at,
    runs.configuration_id,
    runs.label,
    runs.machine,
    runs.runtime_version,
    runs.decode_tps, runs.decode_tps_low, runs.decode_tps_high, runs.interval_kind,
    runs.decode_count as request_count,
    comparison.decode_tps_ratio, comparison.decode_tps_ratio_low, comparison.decode_tps_ratio_high,
    case
        when runs.decode_tps is null then 'no speed'
        when comparison.a_id is null then 'first'
        when comparison.verdict = 'a faster' then 'faster than before'
        when comparison.verdict = 'b faster' then 'slower than before'
        else comparison.verdict
    end as verdict,
    coalesce(comparison.reason, runs.reason) as reason,
    runs.run_id
from runs
left join comparison on comparison.kind = 'run' and comparison.a_id = runs.run_id
qualify row_number() over (partition by runs.machine order by runs.run_started_at desc, runs.run_id) <= 10
order by runs.machine, runs.run_started_at desc, runs.run_id;

comment on view changes is 'One row per machine and one of its last ten runs, beside the run before of the same configuration.';
comment on column changes.run_started_at is 'When it began, UTC.';
comment on column changes.configuration_id is 'Its configuration.';
comment on column changes.label is 'Model, quantization, engine.';
comment on column changes.machine is 'Chip, GPU cores, memory.';
comment on column changes.runtime_version is 'Version of the engine.';
comment on column changes.decode_tps is 'Decode speed, tokens/s.';
comment on column changes.decode_tps_low is 'Lower end of its 95 % interval.';
comment on column changes.decode_tps_high is 'Upper end of its 95 % interval.';
comment on column changes.request_count is 'Requests behind it.';
comment on column changes.decode_tps_ratio is 'Decode speed over that of the run before.';
comment on column changes.decode_tps_ratio_low is 'Lower end of its 95 % interval.';
comment on column changes.decode_tps_ratio_high is 'Upper end of its 95 % interval.';
comment on column changes.verdict is 'first, faster or slower than before, equivalent, small difference, inconclusive, not comparable, or no speed.';
comment on column changes.reason is 'What is missing or doubtful.';
comment on column changes.run_id is 'The run.';
comment on column changes.interval_kind is 'between runs: its interval holds what runs of this machine differ by; within this run: no configuration has two runs yet, and it does not.';
