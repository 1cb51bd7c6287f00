-- Only requests that nothing speaks against; how many were left out, and why, stands beside them.
create or replace view prompt_speed as
with
judged as (
    select
        speed.* replace (
            if(exclusion is null, decode_tps, null) as decode_tps,
            if(exclusion is null, ttft_ms, null) as ttft_ms,
            if(exclusion is null, prefill_tps, null) as prefill_tps,
            coalesce(if(speed.is_failed, null, exclusion), decode_reason) as decode_reason
        ),
        if(not speed.is_failed, exclusion, null) as exclusion
    from request_speed as speed
    inner join request_flags using (run_id, op_index)
)
select
    run_id,
    prompt_id,
    prompt_category,
    prompt_sha256,
    count(*) as request_count,
    count(*) filter (is_failed) as failed_count,
    count(decode_tps) as decode_count,
    median(decode_tps) as decode_tps,
    min(decode_tps) as decode_tps_min,
    max(decode_tps) as decode_tps_max,
    avg(ln(decode_tps)) as decode_log_mean,
    var_samp(ln(decode_tps)) as decode_log_variance,
    stddev_samp(decode_tps) / avg(decode_tps) as decode_cv,
    avg(decode_count_error) filter (decode_tps is not null) as decode_count_error,
    count(ttft_ms) as ttft_count,
    median(ttft_ms) as ttft_ms,
    min(ttft_ms) as ttft_ms_min,
    max(ttft_ms) as ttft_ms_max,
    avg(ln(ttft_ms)) as ttft_log_mean,
    var_samp(ln(ttft_ms)) as ttft_log_variance,
    median(prefill_tps) as prefill_tps,
    count(prefill_tps) as prefill_count,
    avg(ln(prefill_tps)) as prefill_log_mean,
    var_samp(ln(prefill_tps)) as prefill_log_variance,
    median(completion_tokens) as completion_tokens,
    count(exclusion) as excluded_count,
    string_agg(distinct exclusion, ', ' order by exclusion) as exclusion,
    any_value(decode_reason order by op_index) filter (decode_tps is null) as decode_reason
from judged
group by run_id, prompt_id, prompt_category, prompt_sha256;

comment on view prompt_speed is 'One row per run and prompt, over its repeats.';
comment on column prompt_speed.run_id is 'The run.';
comment on column prompt_speed.prompt_id is 'The prompt''s name in its suite.';
comment on column prompt_speed.prompt_category is 'What kind of prompt it is.';
comment on column prompt_speed.prompt_sha256 is 'Hash of the prompt.';
comment on column prompt_speed.request_count is 'Requests sent, failed ones included.';
comment on column prompt_speed.failed_count is 'Requests that failed; they have no speed.';
comment on column prompt_speed.decode_count is 'Requests with a valid decode speed.';
comment on column prompt_speed.decode_tps is 'Median decode speed, tokens per second.';
comment on column prompt_speed.decode_tps_min is 'Slowest repeat.';
comment on column prompt_speed.decode_tps_max is 'Fastest repeat.';
comment on column prompt_speed.decode_log_mean is 'Mean of ln(decode speed), for intervals.';
comment on column prompt_speed.decode_log_variance is 'Sample variance of ln(decode speed), for intervals.';
comment on column prompt_speed.decode_cv is 'Coefficient of variation of decode speed over the repeats.';
comment on column prompt_speed.ttft_count is 'Requests with a TTFT.';
comment on column prompt_speed.ttft_ms is 'Median time to first token, ms.';
comment on column prompt_speed.ttft_ms_min is 'Shortest TTFT.';
comment on column prompt_speed.ttft_ms_max is 'Longest TTFT.';
comment on column prompt_speed.ttft_log_mean is 'Mean of ln(TTFT), for intervals.';
comment on column prompt_speed.ttft_log_variance is 'Sample variance of ln(TTFT), for intervals.';
comment on column prompt_speed.prefill_tps is 'Median prefill speed, tokens per second.';
comment on column prompt_speed.prefill_count is 'Requests with a valid prefill speed.';
comment on column prompt_speed.prefill_log_mean is 'Mean of ln(prefill speed).';
comment on column prompt_speed.prefill_log_variance is 'Variance of ln(prefill speed) over repeats.';
comment on column prompt_speed.completion_tokens is 'Median of generated tokens.';
comment on column prompt_speed.decode_reason is 'Why a request has no decode speed, if any has none.';
comment on column prompt_speed.excluded_count is 'Requests that went well and are left out nevertheless.';
comment on column prompt_speed.exclusion is 'Why they are left out.';
comment on column prompt_speed.decode_count_error is 'By how much the speed may be off because several tokens came in a chunk, as a share: half-width, mean over repeats.';
