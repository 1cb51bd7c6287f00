-- The speeds of a run and prompt, and its joules for each token, one below the other, each on the logarithm with what repeats say of its error.
create or replace view prompt_figures as
with
figures as (
    select run_id, prompt_sha256, 'decode' as figure, decode_tps as value, decode_log_variance as variance, decode_count as value_count,
        decode_count_error as count_error
    from prompt_speed
    union all
    select run_id, prompt_sha256, 'ttft', ttft_ms, ttft_log_variance, ttft_count, null from prompt_speed
    union all
    select run_id, prompt_sha256, 'prefill', prefill_tps, prefill_log_variance, prefill_count, null from prompt_speed
    union all
    select
        run_id, prompt_sha256, 'decode energy', median(decode_j_per_token), var_samp(ln(decode_j_per_token)),
        count(decode_j_per_token), null
    from request_energy
    group by run_id, prompt_sha256
    union all
    select
        run_id, prompt_sha256, 'prefill energy', median(prefill_j_per_token), var_samp(ln(prefill_j_per_token)),
        count(prefill_j_per_token), null
    from request_energy
    group by run_id, prompt_sha256
)
select
    run_id, prompt_sha256, figure,
    ln(value) as center,
    variance / value_count * pow(median_price(value_count), 2) as error_variance,
    if(variance is null, null, value_count - 1) as degrees,
    value_count,
    coalesce(count_error, 0) as count_error
from figures
where value is not null;

comment on view prompt_figures is 'One row per run, prompt and figure that it has: the logarithm of its median over repeats.';
comment on column prompt_figures.run_id is 'The run.';
comment on column prompt_figures.prompt_sha256 is 'Hash of the prompt.';
comment on column prompt_figures.figure is 'decode, ttft, prefill, decode energy or prefill energy.';
comment on column prompt_figures.center is 'ln of the median over repeats: tokens/s, ms, tokens/s.';
comment on column prompt_figures.error_variance is 'Its squared standard error within the run; NULL for one repeat.';
comment on column prompt_figures.degrees is 'Degrees of freedom of that; NULL for one repeat.';
comment on column prompt_figures.count_error is 'By how much it may be off because several tokens came in a chunk, on the logarithm: half-width.';
comment on column prompt_figures.value_count is 'Requests behind it.';
