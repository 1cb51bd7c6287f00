-- Geometric mean over prompts, Student-t over the prompts (measurement method: paired log ratios).
-- A side whose last run differs from its first by more than 3 % drifted: an effect no larger than that is not decided.
create or replace view pair_speed as
with
ratios as (
    select
        a_id,
        b_id,
        count(decode) as prompt_count,
        sum(request_count)::bigint as request_count,
        min(repeat_count) filter (decode is not null) as repeat_count,
        avg(decode_variance) as within_variance,
        var_samp(decode) as prompt_variance,
        avg(decode) as decode,
        std_error(decode) as decode_se,
        avg(ttft) as ttft,
        std_error(ttft) * t_of(count(ttft) - 1) as ttft_margin,
        count(ttft) as ttft_prompt_count,
        median(a_tokens) / nullif(median(b_tokens), 0) as tokens_ratio
    from pair_prompts
    group by a_id, b_id
),
judged as (
    select
        ratios.*,
        decode_se * t_of(prompt_count - 1) as decode_margin,
        exp(decode_se * t_found(prompt_count - 1)) - 1 as detectable,
        greatest(abs(coalesce(a.drift, 0)), abs(coalesce(b.drift, 0))) as drift
    from ratios
    left join configuration_drift as a on a.configuration_id = a_id
    left join configuration_drift as b on b.configuration_id = b_id
)
select
    *,
    case
        when prompt_count = 0 then 'not comparable'
        when drift > ln(1.03) and abs(decode) <= drift then 'inconclusive'
        else ratio_verdict(decode, decode_margin, 'a faster', 'b faster')
    end as verdict,
    nullif(concat_ws(
        '; ',
        if(prompt_count = 0, 'no prompt with a decode speed on both sides', null),
        if(prompt_count = 1, 'one prompt has no interval', null),
        if(drift > ln(1.03), format('a side changed by {:.0f} % from its first run to its last', 100 * (exp(drift) - 1)), null),
        if(tokens_ratio > 1.2 or tokens_ratio < 1 / 1.2, 'answers differ in length by more than 20 %', null)
    ), '') as reason
from judged;

comment on view pair_speed is 'One row per comparable pair with prompts in common: speed of a over b, with a verdict.';
comment on column pair_speed.a_id is 'Set a.';
comment on column pair_speed.b_id is 'Set b.';
comment on column pair_speed.prompt_count is 'Prompts with a decode speed on both sides.';
comment on column pair_speed.request_count is 'Requests of both sides behind it.';
comment on column pair_speed.repeat_count is 'Repeats that both sides have of each prompt, at least.';
comment on column pair_speed.within_variance is 'Variance of the ln-ratio over the repeats of a prompt, mean over prompts.';
comment on column pair_speed.prompt_variance is 'Variance of the ln-ratio over prompts, which holds that over repeats divided by their number.';
comment on column pair_speed.decode is 'Mean over prompts of ln(decode speed of a / of b).';
comment on column pair_speed.decode_se is 'Its standard error, over prompts.';
comment on column pair_speed.decode_margin is 'Half its 95 % interval.';
comment on column pair_speed.ttft is 'Mean over prompts of ln(TTFT of a / of b).';
comment on column pair_speed.ttft_margin is 'Half its 95 % interval.';
comment on column pair_speed.ttft_prompt_count is 'Prompts with a TTFT on both sides.';
comment on column pair_speed.tokens_ratio is 'Median length of answers, a over b.';
comment on column pair_speed.detectable is 'Smallest relative difference that would be found with a power of 80 % at the spread seen.';
comment on column pair_speed.drift is 'Largest ln-change of a side from its first run to its last.';
comment on column pair_speed.verdict is 'a faster or b faster (by more than 3 %), equivalent (within 3 %), small difference, inconclusive, not comparable.';
comment on column pair_speed.reason is 'Why it is not sure.';
