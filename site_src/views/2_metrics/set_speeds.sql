-- The three speeds of a set beside each other, as later views read them.
create or replace view set_speeds as
select
    set_id,
    exp(any_value(center) filter (figure = 'decode')) as decode_tps,
    exp(any_value(center - margin) filter (figure = 'decode')) as decode_tps_low,
    exp(any_value(center + margin) filter (figure = 'decode')) as decode_tps_high,
    exp(any_value(center - within_margin) filter (figure = 'decode')) as decode_tps_within_low,
    exp(any_value(center + within_margin) filter (figure = 'decode')) as decode_tps_within_high,
    any_value(interval_kind) filter (figure = 'decode') as interval_kind,
    coalesce(any_value(run_count) filter (figure = 'decode'), 0) as decode_run_count,
    coalesce(any_value(prompt_count) filter (figure = 'decode'), 0) as decode_prompt_count,
    coalesce(any_value(value_count) filter (figure = 'decode'), 0) as decode_count,
    exp(any_value(center) filter (figure = 'ttft')) as ttft_ms,
    exp(any_value(center - margin) filter (figure = 'ttft')) as ttft_ms_low,
    exp(any_value(center + margin) filter (figure = 'ttft')) as ttft_ms_high,
    coalesce(any_value(value_count) filter (figure = 'ttft'), 0) as ttft_count,
    exp(any_value(center) filter (figure = 'prefill')) as prefill_tps,
    exp(any_value(center - margin) filter (figure = 'prefill')) as prefill_tps_low,
    exp(any_value(center + margin) filter (figure = 'prefill')) as prefill_tps_high,
    coalesce(any_value(value_count) filter (figure = 'prefill'), 0) as prefill_count
from set_speed
group by set_id;

comment on view set_speeds is 'One row per set of runs: its speeds with the intervals in which they lie on another day.';
comment on column set_speeds.set_id is 'The set, as in run_sets.';
comment on column set_speeds.decode_tps is 'Decode speed: geometric mean over runs of that over prompts of per-prompt medians, tokens per second.';
comment on column set_speeds.decode_tps_low is 'Lower end of its 95 % interval, with the machine''s spread from run to run.';
comment on column set_speeds.decode_tps_high is 'Upper end of it.';
comment on column set_speeds.decode_tps_within_low is 'Lower end of the 95 % interval that repeats within the runs give.';
comment on column set_speeds.decode_tps_within_high is 'Upper end of it.';
comment on column set_speeds.interval_kind is 'between runs, or within this run where no spread of runs is known yet.';
comment on column set_speeds.decode_run_count is 'Runs behind the decode speed.';
comment on column set_speeds.decode_prompt_count is 'Prompts behind it.';
comment on column set_speeds.decode_count is 'Requests behind it.';
comment on column set_speeds.ttft_ms is 'Time to first token, likewise, ms.';
comment on column set_speeds.ttft_ms_low is 'Lower end of its 95 % interval.';
comment on column set_speeds.ttft_ms_high is 'Upper end of it.';
comment on column set_speeds.ttft_count is 'Requests behind it.';
comment on column set_speeds.prefill_tps is 'Prefill speed, likewise, tokens per second.';
comment on column set_speeds.prefill_tps_low is 'Lower end of its 95 % interval.';
comment on column set_speeds.prefill_tps_high is 'Upper end of it.';
comment on column set_speeds.prefill_count is 'Requests behind it.';
