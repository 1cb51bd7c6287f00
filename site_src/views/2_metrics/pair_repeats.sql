-- How many repeats an undecided comparison needs. Between prompts the ratio varies by tau, within a prompt by w: the standard
-- error is sqrt((tau^2 + w/r) / P). Decided is the nearer of two ends: an interval on one side of 1, or within 3 %; it must
-- be as narrow for a power of 80 %.
create or replace view pair_repeats as
with
spread as (
    select
        a_id, b_id, prompt_count, repeat_count,
        abs(decode) as seen,
        detectable,
        coalesce(drift > ln(1.03) and abs(decode) <= drift, false) as is_drifting,
        within_variance as w,
        greatest(prompt_variance - within_variance / repeat_count, 0) as tau_squared,
        greatest(abs(decode), ln(1.03) - abs(decode)) / t_found(prompt_count - 1) as wanted_se
    from pair_speed
    where verdict = 'inconclusive' and prompt_count > 1
)
select
    a_id, b_id, prompt_count, repeat_count,
    exp(seen) - 1 as seen_difference,
    detectable as detectable_difference,
    if(
        prompt_count * wanted_se * wanted_se > tau_squared and not is_drifting,
        greatest(ceil(w / (prompt_count * wanted_se * wanted_se - tau_squared))::bigint - repeat_count, 1), null
    ) as further_repeats,
    case
        when is_drifting then 'a side changed from its first run to its last: measure both again in turn'
        when w is null then 'one repeat: how much repeats of a prompt differ is not known'
        when prompt_count * wanted_se * wanted_se <= tau_squared
            then 'more repeats do not help: the ratio differs from prompt to prompt; more prompts would'
    end as reason
from spread;

comment on view pair_repeats is 'One row per comparison whose speed is inconclusive: what would decide it.';
comment on column pair_repeats.a_id is 'Set a.';
comment on column pair_repeats.b_id is 'Set b.';
comment on column pair_repeats.prompt_count is 'Prompts with a decode speed on both sides.';
comment on column pair_repeats.repeat_count is 'Repeats that both sides have of each, at least.';
comment on column pair_repeats.seen_difference is 'Relative difference seen.';
comment on column pair_repeats.detectable_difference is 'Smallest that would be found with a power of 80 % at the spread seen.';
comment on column pair_repeats.further_repeats is 'Repeats of every prompt that each side needs in addition; NULL where none would do.';
comment on column pair_repeats.reason is 'Why that is not known, or would not help.';
