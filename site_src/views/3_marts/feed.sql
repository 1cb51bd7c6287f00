-- What feed readers are told: the latest runs of all machines of this repository.
create or replace view feed as
select
    run_id,
    run_started_at,
    runs.label,
    runs.machine,
    runs.server,
    configurations.configuration_id,
    run_state,
    decode_tps, decode_tps_low, decode_tps_high, interval_kind,
    decode_count as request_count,
    ttft_ms,
    peak_memory_gb,
    reason
from runs
left join configurations using (configuration_id)
anti join (select machine from machines where contributor is not null) as others on others.machine = runs.machine
order by run_started_at desc, run_id
limit 50;

comment on view feed is 'One row per run, the last 50, newest first.';
comment on column feed.run_id is 'The run.';
comment on column feed.run_started_at is 'When it began, UTC.';
comment on column feed.label is 'Model, quantization, engine.';
comment on column feed.machine is 'Chip, GPU cores, memory.';
comment on column feed.server is 'The program that answered.';
comment on column feed.configuration_id is 'Its configuration, which has a page; NULL for an imported file.';
comment on column feed.run_state is 'complete or interrupted.';
comment on column feed.decode_tps is 'Decode speed, tokens/s.';
comment on column feed.decode_tps_low is 'Lower end of its 95 % interval.';
comment on column feed.decode_tps_high is 'Upper end of its 95 % interval.';
comment on column feed.request_count is 'Requests behind it.';
comment on column feed.ttft_ms is 'Time to first token, ms.';
comment on column feed.peak_memory_gb is 'Peak memory, GB.';
comment on column feed.reason is 'What is missing or doubtful, in words.';
comment on column feed.interval_kind is 'between runs: its interval holds what runs of this machine differ by; within this run: no configuration has two runs yet, and it does not.';
