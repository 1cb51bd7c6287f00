-- Joules for each token of a configuration, with an interval made like that of its speeds (set_speed): what runs of the machine
-- differ by is in it.
create or replace view configuration_energy as
with
figures as (
    select
        set_id as configuration_id,
        exp(any_value(center) filter (figure = 'decode energy')) as decode_j_per_token,
        exp(any_value(center - margin) filter (figure = 'decode energy')) as decode_j_per_token_low,
        exp(any_value(center + margin) filter (figure = 'decode energy')) as decode_j_per_token_high,
        any_value(interval_kind) filter (figure = 'decode energy') as energy_interval_kind,
        any_value(run_count) filter (figure = 'decode energy') as energy_run_count,
        any_value(value_count) filter (figure = 'decode energy') as energy_request_count,
        exp(any_value(center) filter (figure = 'prefill energy')) as prefill_j_per_token,
        exp(any_value(center - margin) filter (figure = 'prefill energy')) as prefill_j_per_token_low,
        exp(any_value(center + margin) filter (figure = 'prefill energy')) as prefill_j_per_token_high,
        any_value(value_count) filter (figure = 'prefill energy') as prefill_energy_request_count
    from set_speed
    group by set_id
),
current_runs as (
    select run_energy.*, latest.run_started_at
    from run_energy
    inner join (select run_id, run_started_at from run_versions where is_current) as latest using (run_id)
),
of_requests as (
    select
        configuration_id, avg(request_energy.decode_watts) as decode_watts, avg(gpu_busy_share) as gpu_busy_share,
        mode(decode_reason order by request_energy.run_id desc, op_index) as decode_reason,
        mode(prefill_reason order by request_energy.run_id desc, op_index) as prefill_reason
    from request_energy
    inner join current_runs using (run_id)
    group by configuration_id
),
of_runs as (
    select
        configuration_id,
        any_value(energy_kind) filter (is_counted) as energy_kind,
        avg(rest_watts) filter (is_counted) as rest_watts,
        any_value(energy_note order by run_started_at desc) filter (is_counted) as energy_note,
        arg_max(reason, run_started_at) as reason
    from current_runs
    group by configuration_id
),
read as (
    select configuration_id, gb(sum(engine_read_bytes)) as read_gb
    from raw_facts
    inner join current_runs using (run_id)
    where op = 'request'
    group by configuration_id
)
select
    configuration_id,
    decode_j_per_token, decode_j_per_token_low, decode_j_per_token_high, energy_interval_kind,
    3.6e6 / decode_j_per_token as tokens_per_kwh,
    3.6e6 / decode_j_per_token_high as tokens_per_kwh_low,
    3.6e6 / decode_j_per_token_low as tokens_per_kwh_high,
    coalesce(energy_run_count, 0) as energy_run_count, coalesce(energy_request_count, 0) as energy_request_count,
    prefill_j_per_token, prefill_j_per_token_low, prefill_j_per_token_high,
    coalesce(prefill_energy_request_count, 0) as prefill_energy_request_count,
    decode_watts, rest_watts, gpu_busy_share, read_gb,
    if(decode_j_per_token is null and prefill_j_per_token is null, null, energy_kind) as energy_kind,
    nullif(concat_ws(
        '; ',
        if(decode_j_per_token is null, coalesce(of_requests.decode_reason, of_runs.reason, 'no request was measured'), null),
        if(decode_j_per_token is not null and prefill_j_per_token is null, 'prefill: ' || of_requests.prefill_reason, null),
        if(decode_j_per_token is null and prefill_j_per_token is null, null, energy_note)
    ), '') as energy_reason
from of_runs
left join figures using (configuration_id)
left join of_requests using (configuration_id)
left join read using (configuration_id);

comment on view configuration_energy is 'One row per configuration: joules for each token, and what is behind them.';
comment on column configuration_energy.configuration_id is 'The configuration.';
comment on column configuration_energy.decode_j_per_token is 'Joules for each token generated, what flows at rest subtracted: geometric mean over runs and prompts of per-prompt medians.';
comment on column configuration_energy.decode_j_per_token_low is 'Lower end of its 95 % interval.';
comment on column configuration_energy.decode_j_per_token_high is 'Upper end of it.';
comment on column configuration_energy.energy_interval_kind is 'between runs, or within this run, as of speeds.';
comment on column configuration_energy.tokens_per_kwh is 'Tokens generated for each kWh of that.';
comment on column configuration_energy.tokens_per_kwh_low is 'Lower end of its 95 % interval.';
comment on column configuration_energy.tokens_per_kwh_high is 'Upper end of it.';
comment on column configuration_energy.energy_run_count is 'Runs behind it.';
comment on column configuration_energy.energy_request_count is 'Requests behind it.';
comment on column configuration_energy.prefill_j_per_token is 'Joules for each token of the prompt, likewise, over prompts of 512 tokens and more.';
comment on column configuration_energy.prefill_j_per_token_low is 'Lower end of its 95 % interval.';
comment on column configuration_energy.prefill_j_per_token_high is 'Upper end of it.';
comment on column configuration_energy.prefill_energy_request_count is 'Requests behind it.';
comment on column configuration_energy.decode_watts is 'What the same rails draw while decoding, W, rest included: mean over requests.';
comment on column configuration_energy.rest_watts is 'What they draw with the model loaded and nothing asked, W.';
comment on column configuration_energy.gpu_busy_share is 'Share of the decode time in which the GPU worked, 0 to 1.';
comment on column configuration_energy.read_gb is 'What the engine read from disk during all measured requests, GB: weights that had left memory.';
comment on column configuration_energy.energy_kind is 'The rails that the joules hold.';
comment on column configuration_energy.energy_reason is 'Why there are no joules, or what they lack.';
