-- The server counts only its own work, so our TTFT must come a little later and our decode speed be the same.
create or replace view clock_check as
with
compared as (
    select
        run_id,
        100 * (decode_tps / nullif(reported_decode_tps, 0) - 1) as decode_error,
        ttft_ms - reported_prompt_ms as ttft_excess,
        client_cpu_us / nullif(completion_tokens, 0) as cpu_us
    from request_speed
    where not is_failed
),
summed as (
    select
        run_id,
        count(decode_error) as decode_count,
        median(decode_error) as decode_error_percent,
        max(abs(decode_error)) as decode_error_percent_max,
        count(ttft_excess) as ttft_count,
        median(ttft_excess) as ttft_excess_ms,
        max(ttft_excess) as ttft_excess_ms_max,
        median(cpu_us) as client_cpu_us_per_token
    from compared
    group by run_id
)
select
    runs.run_id, runs.configuration_id, runs.label, runs.machine, runs.server, runs.runtime_version, runs.run_started_at,
    summed.* exclude (run_id),
    facts.client_calibrated_at,
    facts.client_bias_percent,
    facts.client_event_delay_us,
    facts.client_jitter_us,
    case
        when summed.decode_count = 0 and summed.ttft_count = 0 then 'the server tells no times of its own'
        when summed.decode_count = 0 then 'the server tells no decode speed'
        when summed.ttft_count = 0 then 'the server tells no prompt time'
    end as reason
from summed
inner join runs using (run_id)
inner join (
    select
        run_id, any_value(client_calibrated_at) as client_calibrated_at, any_value(client_bias_percent) as client_bias_percent,
        any_value(client_event_delay_us) as client_event_delay_us, any_value(client_jitter_us) as client_jitter_us
    from raw_facts
    group by run_id
) as facts using (run_id)
order by run_started_at desc, run_id;

comment on view clock_check is 'One row per run: how far our clock is from the server''s own, for the same requests.';
comment on column clock_check.run_id is 'The run.';
comment on column clock_check.configuration_id is 'Its configuration.';
comment on column clock_check.label is 'Model, quantization, engine.';
comment on column clock_check.machine is 'Chip, GPU cores, memory.';
comment on column clock_check.server is 'The program that answered.';
comment on column clock_check.runtime_version is 'Version of the engine.';
comment on column clock_check.run_started_at is 'When it began, UTC.';
comment on column clock_check.decode_count is 'Requests for which both tell a decode speed.';
comment on column clock_check.decode_error_percent is 'Median of our decode speed over the server''s, less one, %.';
comment on column clock_check.decode_error_percent_max is 'Largest such difference, either way, %.';
comment on column clock_check.ttft_count is 'Requests for which the server tells its prompt time.';
comment on column clock_check.ttft_excess_ms is 'Median of our TTFT less that time, ms.';
comment on column clock_check.ttft_excess_ms_max is 'Largest, ms.';
comment on column clock_check.client_cpu_us_per_token is 'Median CPU time of the client for each token, µs.';
comment on column clock_check.client_calibrated_at is 'When this client was last measured against a server of known times; NULL: never.';
comment on column clock_check.client_bias_percent is 'Its error of decode speed then, %.';
comment on column clock_check.client_event_delay_us is 'Its delay from event sent to event stamped then, µs.';
comment on column clock_check.client_jitter_us is 'The spread of that delay, µs.';
comment on column clock_check.reason is 'What cannot be compared.';
