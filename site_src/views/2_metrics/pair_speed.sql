-- What is said of a ratio. A side whose last run differs from its first by more than 3 % drifted: an effect no larger than
-- that is not decided. Nor is one where nothing could be pooled, as when a side's two runs are under two systems: its
-- interval leaves out what runs differ by.
create or replace view pair_speed as
with
decode as (
    select
        found.*,
        greatest(abs(coalesce(a.drift, 0)), abs(coalesce(b.drift, 0))) as drift
    from pair_figures as found
    left join configuration_drift as a on a.configuration_id = a_id
    left join configuration_drift as b on b.configuration_id = b_id
    where figure = 'decode'
),
ttft as (
    select a_id, b_id, center as ttft, margin as ttft_margin, interval_kind as ttft_interval_kind, prompt_count as ttft_prompt_count, request_count as ttft_request_count,
        a_run_count as a_ttft_run_count, b_run_count as b_ttft_run_count
    from pair_figures
    where figure = 'ttft'
)
select
    a_id, b_id,
    coalesce(prompt_count, 0) as prompt_count,
    coalesce(request_count, 0) as request_count,
    repeat_count,
    coalesce(a_run_count, 0) as a_run_count,
    coalesce(b_run_count, 0) as b_run_count,
    coalesce(run_count, 0) as run_count,
    within_variance, prompt_variance, lasting_variance, run_variance, spread_degrees,
    center as decode,
    error as decode_se,
    degrees as decode_df,
    margin as decode_margin,
    interval_kind,
    ttft, ttft_margin,
    coalesce(ttft_prompt_count, 0) as ttft_prompt_count,
    coalesce(ttft_request_count, 0) as ttft_request_count,
    detectable, drift,
    if(
        drift > ln(1.03) and abs(center) <= drift, 'inconclusive',
        sides_verdict(center, margin, interval_kind, a_run_count, b_run_count, 'a faster', 'b faster')
    ) as verdict,
    wait_verdict(ttft, ttft_margin, ttft_interval_kind, a_ttft_run_count, b_ttft_run_count, 'a later', 'b later') as ttft_verdict,
    nullif(concat_ws(
        '; ',
        case
            when center is not null then null
            when untimed_count > 0
                then 'answers differ in length by more than 20 %, and the speed of their first 256 tokens is not known'
            else 'no prompt with a decode speed on both sides'
        end,
        if(prompt_count = 1, 'one prompt has no interval', null),
        if(run_count = 1, 'one run on a side', null),
        if(drift > ln(1.03), format('a side changed by {:.0f} % from its first run to its last', 100 * (exp(drift) - 1)), null),
        if(center is not null and early_count > 0, format(
            'answers to {} of {} prompts differ in length by more than 20 %, their first 256 tokens count',
            early_count, prompt_count + untimed_count
        ), null)
    ), '') as reason
from decode
full join ttft using (a_id, b_id);

comment on view pair_speed is 'One row per comparable pair with prompts in common: speed of a over b, with a verdict.';
comment on column pair_speed.a_id is 'Set a.';
comment on column pair_speed.b_id is 'Set b.';
comment on column pair_speed.prompt_count is 'Prompts with a decode speed on both sides.';
comment on column pair_speed.request_count is 'Requests of both sides behind it.';
comment on column pair_speed.repeat_count is 'Repeats that both sides have of each prompt, at least.';
comment on column pair_speed.a_run_count is 'Runs behind side a.';
comment on column pair_speed.b_run_count is 'Runs behind side b.';
comment on column pair_speed.run_count is 'Runs of the side with fewer.';
comment on column pair_speed.within_variance is 'Variance of the ln-ratio over the repeats of a prompt, mean over prompts.';
comment on column pair_speed.prompt_variance is 'Variance of the ln-ratio over prompts, which holds that over repeats divided by their number.';
comment on column pair_speed.lasting_variance is 'The machine''s variance from run to run, less what repeats explain.';
comment on column pair_speed.run_variance is 'The machine''s variance from run to run; NULL where nothing can be pooled.';
comment on column pair_speed.spread_degrees is 'Degrees of freedom of that.';
comment on column pair_speed.decode is 'Mean over prompts of ln(decode speed of a / of b).';
comment on column pair_speed.decode_se is 'Its standard error, from prompts and from runs of both sides.';
comment on column pair_speed.decode_df is 'Degrees of freedom of that, by Satterthwaite.';
comment on column pair_speed.decode_margin is 'Half its 95 % interval.';
comment on column pair_speed.interval_kind is 'between runs, or within this run where no spread of runs is known yet.';
comment on column pair_speed.ttft is 'Mean over prompts of ln(TTFT of a / of b).';
comment on column pair_speed.ttft_margin is 'Half its 95 % interval.';
comment on column pair_speed.ttft_prompt_count is 'Prompts with a TTFT on both sides.';
comment on column pair_speed.ttft_request_count is 'Requests of both sides behind it.';
comment on column pair_speed.detectable is 'Smallest relative difference that would be found with a power of 80 % at the spread seen.';
comment on column pair_speed.drift is 'Largest ln-change of a side from its first run to its last.';
comment on column pair_speed.verdict is 'a faster or b faster (by more than 3 %), equivalent (within 3 %), small difference, inconclusive, one run a side, not comparable.';
comment on column pair_speed.ttft_verdict is 'a later or b later (by more than 3 %), equivalent, small difference, inconclusive, one run a side, not comparable.';
comment on column pair_speed.reason is 'Why it is not sure.';
