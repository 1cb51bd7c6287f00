-- Headline of a run: geometric mean over prompts of per-prompt medians, so that the longest prompt does not decide.
-- Interval: Student-t on ln(speed) over the repeats, pooled; it speaks of these prompts, not of all prompts.
create or replace view run_speed as
with
pooled as (
    select
        run_id,
        count(*) as prompt_count,
        sum(request_count)::bigint as request_count,
        sum(failed_count)::bigint as failed_count,
        sum(decode_count)::bigint as decode_count,
        count(decode_tps) as decode_prompt_count,
        geomean(decode_tps) as decode_tps,
        geomean(ttft_ms) as ttft_ms,
        geomean(prefill_tps) as prefill_tps,
        sum(prefill_count)::bigint as prefill_count,
        avg(prefill_log_mean) as prefill_center,
        sqrt(sum(prefill_log_variance / prefill_count)) / nullif(count(prefill_log_variance), 0) as prefill_se,
        (sum(prefill_count - 1) filter (prefill_count > 1))::bigint as prefill_df,
        sum(ttft_count)::bigint as ttft_count,
        sqrt(avg(decode_cv * decode_cv)) as cv,
        avg(decode_log_mean) as decode_center,
        sqrt(sum(decode_log_variance / decode_count)) / nullif(count(decode_log_variance), 0) as decode_se,
        (sum(decode_count - 1) filter (decode_count > 1))::bigint as decode_df,
        avg(ttft_log_mean) as ttft_center,
        sqrt(sum(ttft_log_variance / ttft_count)) / nullif(count(ttft_log_variance), 0) as ttft_se,
        (sum(ttft_count - 1) filter (ttft_count > 1))::bigint as ttft_df,
        sum(excluded_count)::bigint as excluded_count,
        string_agg(distinct exclusion, ', ' order by exclusion) as exclusion,
        any_value(decode_reason order by prompt_id) as decode_reason
    from prompt_speed
    group by run_id
)
select
    run_id,
    prompt_count,
    request_count,
    failed_count,
    decode_count,
    decode_prompt_count,
    decode_tps,
    exp(decode_center - t_of(decode_df) * decode_se) as decode_tps_low,
    exp(decode_center + t_of(decode_df) * decode_se) as decode_tps_high,
    decode_center,
    decode_se,
    decode_df,
    cv,
    ttft_ms,
    exp(ttft_center - t_of(ttft_df) * ttft_se) as ttft_ms_low,
    exp(ttft_center + t_of(ttft_df) * ttft_se) as ttft_ms_high,
    ttft_center,
    ttft_se,
    ttft_df,
    ttft_count,
    prefill_tps,
    exp(prefill_center - t_of(prefill_df) * prefill_se) as prefill_tps_low,
    exp(prefill_center + t_of(prefill_df) * prefill_se) as prefill_tps_high,
    prefill_center,
    prefill_se,
    prefill_df,
    prefill_count,
    excluded_count,
    exclusion,
    decode_reason
from pooled;

comment on view run_speed is 'One row per run with measured requests: its speeds over all prompts.';
comment on column run_speed.run_id is 'The run.';
comment on column run_speed.prompt_count is 'Prompts.';
comment on column run_speed.request_count is 'Measured requests, failed ones included.';
comment on column run_speed.failed_count is 'Requests that failed.';
comment on column run_speed.decode_count is 'Requests with a valid decode speed.';
comment on column run_speed.decode_tps is 'Decode speed: geometric mean over prompts of per-prompt medians, tokens per second.';
comment on column run_speed.decode_tps_low is 'Lower end of its 95 % interval.';
comment on column run_speed.decode_tps_high is 'Upper end of its 95 % interval.';
comment on column run_speed.decode_center is 'Mean over prompts of mean ln(decode speed).';
comment on column run_speed.decode_se is 'Its standard error, from the repeats.';
comment on column run_speed.decode_df is 'Degrees of freedom behind it.';
comment on column run_speed.cv is 'Pooled coefficient of variation of decode speed over the repeats of a prompt.';
comment on column run_speed.ttft_ms is 'TTFT: geometric mean over prompts of per-prompt medians, ms.';
comment on column run_speed.ttft_ms_low is 'Lower end of its 95 % interval.';
comment on column run_speed.ttft_ms_high is 'Upper end of its 95 % interval.';
comment on column run_speed.ttft_center is 'Mean over prompts of mean ln(TTFT).';
comment on column run_speed.ttft_se is 'Its standard error, from the repeats.';
comment on column run_speed.ttft_df is 'Degrees of freedom behind it.';
comment on column run_speed.prefill_tps is 'Prefill speed, likewise, over prompts of 512 tokens and more.';
comment on column run_speed.prefill_tps_low is 'Lower end of its 95 % interval.';
comment on column run_speed.prefill_tps_high is 'Upper end of its 95 % interval.';
comment on column run_speed.prefill_center is 'Mean over prompts of mean ln(prefill speed).';
comment on column run_speed.prefill_se is 'Its standard error, from the repeats.';
comment on column run_speed.prefill_df is 'Its degrees of freedom.';
comment on column run_speed.ttft_count is 'Requests with a TTFT.';
comment on column run_speed.prefill_count is 'Requests with a valid prefill speed.';
comment on column run_speed.decode_reason is 'Why some requests have no decode speed.';
comment on column run_speed.excluded_count is 'Requests that went well and are left out nevertheless.';
comment on column run_speed.exclusion is 'Why they are left out.';
comment on column run_speed.decode_prompt_count is 'Prompts with a decode speed.';
