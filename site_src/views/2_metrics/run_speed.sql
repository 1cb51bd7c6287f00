-- Headline of a run: geometric mean over prompts of per-prompt medians, so that the longest prompt does not decide.
-- What repeats are apart stands beside it: Student-t on the logarithm, centered on the headline. It speaks of these prompts
-- in this run, not of another day.
create or replace view run_speed as
with
counted as (
    select
        run_id,
        count(*) as prompt_count,
        sum(request_count)::bigint as request_count,
        sum(failed_count)::bigint as failed_count,
        sum(decode_count)::bigint as decode_count,
        count(decode_tps) as decode_prompt_count,
        sum(prefill_count)::bigint as prefill_count,
        sum(ttft_count)::bigint as ttft_count,
        sqrt(avg(decode_cv * decode_cv)) as cv,
        sum(excluded_count)::bigint as excluded_count,
        string_agg(distinct exclusion, ', ' order by exclusion) as exclusion,
        any_value(decode_reason order by prompt_id) as decode_reason
    from prompt_speed
    group by run_id
),
within as (
    select
        run_id,
        any_value(center) filter (figure = 'decode') as decode_center,
        any_value(sqrt(error_variance)) filter (figure = 'decode') as decode_se,
        any_value(degrees) filter (figure = 'decode') as decode_df,
        any_value(center) filter (figure = 'ttft') as ttft_center,
        any_value(sqrt(error_variance)) filter (figure = 'ttft') as ttft_se,
        any_value(degrees) filter (figure = 'ttft') as ttft_df,
        any_value(center) filter (figure = 'prefill') as prefill_center,
        any_value(sqrt(error_variance)) filter (figure = 'prefill') as prefill_se,
        any_value(degrees) filter (figure = 'prefill') as prefill_df
    from set_runs
    where set_id = run_id
    group by run_id
)
select
    run_id,
    prompt_count,
    request_count,
    failed_count,
    decode_count,
    decode_prompt_count,
    exp(decode_center) as decode_tps,
    exp(decode_center - t_of(decode_df) * decode_se) as decode_tps_within_low,
    exp(decode_center + t_of(decode_df) * decode_se) as decode_tps_within_high,
    decode_center,
    decode_se,
    decode_df,
    cv,
    exp(ttft_center) as ttft_ms,
    exp(ttft_center - t_of(ttft_df) * ttft_se) as ttft_ms_within_low,
    exp(ttft_center + t_of(ttft_df) * ttft_se) as ttft_ms_within_high,
    ttft_center,
    ttft_count,
    exp(prefill_center) as prefill_tps,
    exp(prefill_center - t_of(prefill_df) * prefill_se) as prefill_tps_within_low,
    exp(prefill_center + t_of(prefill_df) * prefill_se) as prefill_tps_within_high,
    prefill_center,
    prefill_count,
    excluded_count,
    exclusion,
    decode_reason
from counted
left join within using (run_id);

comment on view run_speed is 'One row per run with measured requests: its speeds over all prompts.';
comment on column run_speed.run_id is 'The run.';
comment on column run_speed.prompt_count is 'Prompts.';
comment on column run_speed.request_count is 'Measured requests, failed ones included.';
comment on column run_speed.failed_count is 'Requests that failed.';
comment on column run_speed.decode_count is 'Requests with a valid decode speed.';
comment on column run_speed.decode_tps is 'Decode speed: geometric mean over prompts of per-prompt medians, tokens per second.';
comment on column run_speed.decode_tps_within_low is 'Lower end of the 95 % interval that repeats within the run give.';
comment on column run_speed.decode_tps_within_high is 'Upper end of it.';
comment on column run_speed.decode_center is 'ln of the headline.';
comment on column run_speed.decode_se is 'Its standard error, from the repeats.';
comment on column run_speed.decode_df is 'Degrees of freedom behind it.';
comment on column run_speed.cv is 'Pooled coefficient of variation of decode speed over the repeats of a prompt.';
comment on column run_speed.ttft_ms is 'TTFT: geometric mean over prompts of per-prompt medians, ms.';
comment on column run_speed.ttft_ms_within_low is 'Lower end of the 95 % interval that repeats within the run give.';
comment on column run_speed.ttft_ms_within_high is 'Upper end of it.';
comment on column run_speed.ttft_center is 'ln of the headline.';
comment on column run_speed.prefill_tps is 'Prefill speed, likewise, over prompts of 512 tokens and more.';
comment on column run_speed.prefill_tps_within_low is 'Lower end of the 95 % interval that repeats within the run give.';
comment on column run_speed.prefill_tps_within_high is 'Upper end of it.';
comment on column run_speed.prefill_center is 'ln of the headline.';
comment on column run_speed.ttft_count is 'Requests with a TTFT.';
comment on column run_speed.prefill_count is 'Requests with a valid prefill speed.';
comment on column run_speed.decode_reason is 'Why some requests have no decode speed.';
comment on column run_speed.excluded_count is 'Requests that went well and are left out nevertheless.';
comment on column run_speed.exclusion is 'Why they are left out.';
comment on column run_speed.decode_prompt_count is 'Prompts with a decode speed.';
