-- How many runs an undecided comparison needs. With n runs a side the ratio's variance is tau^2 / P, for ratios differ from
-- prompt to prompt, plus w / (r n P) for what repeats differ by, plus 2 / n times the machine's lasting variance. Decided
-- is the nearer of two ends, an interval on one side of 1 or within 3 %, with a power of 80 %. Ratios count as differing
-- from prompt to prompt only where chi-squared says that repeats do not explain it. Sixteen runs a side are the most asked for.
create or replace view pair_runs as
with
undecided as (
    select
        a_id, b_id, prompt_count, repeat_count, a_run_count, b_run_count,
        greatest(a_run_count, b_run_count) as run_count,
        abs(decode) as seen,
        detectable,
        coalesce(drift > ln(1.03) and abs(decode) <= drift, false) as is_drifting,
        run_variance is null as is_spread_unknown,
        lasting_variance, spread_degrees,
        within_variance / repeat_count as repeat_part,
        coalesce(greatest(prompt_variance - repeat_part, 0), prompt_variance) as tau_squared,
        coalesce(
            prompt_variance * (prompt_count - 1)
            > repeat_part * (select chi975 from quantiles where df = least(prompt_count - 1, 120)), true
        ) as is_prompt_spread,
        greatest(abs(decode), ln(1.03) - abs(decode)) as wanted
    from pair_speed
    where is_undecided(verdict) and prompt_count > 1
),
asked as (
    select
        a_id, b_id, run_count, n,
        if(is_prompt_spread, tau_squared, 0) / prompt_count as prompt_part,
        sqrt(prompt_part + coalesce(repeat_part, 0) * run_count / n / prompt_count + lasting_variance * 2 / n) as error,
        error * t_found(spread_degrees + 2 * greatest(n - run_count, 0)) <= wanted as is_enough,
        sqrt(prompt_part) * t_found(prompt_count - 1) > wanted as is_beyond_runs
    from undecided
    cross join (select unnest(range(2, 17)) as n) as numbers
    where not is_spread_unknown
),
answered as (
    select a_id, b_id, min(n) filter (is_enough) as runs_needed, bool_or(is_beyond_runs) as is_beyond_runs
    from asked
    group by a_id, b_id
)
select
    a_id, b_id, prompt_count, repeat_count, run_count,
    exp(seen) - 1 as seen_difference,
    detectable as detectable_difference,
    case
        when is_spread_unknown then greatest(2 - run_count, 1)
        when is_drifting or run_count > 1 and (is_beyond_runs or runs_needed is null) then null
        else greatest(coalesce(runs_needed, 2) - run_count, 1)
    end::bigint as further_runs,
    case
        when is_drifting then 'a side changed from its first run to its last: measure both again in turn'
        when is_spread_unknown then 'what runs differ by is not known: no configuration has two'
        when is_beyond_runs then 'more runs do not help: the ratio differs from prompt to prompt; more prompts would'
        when runs_needed is null then 'more than sixteen runs a side'
    end as reason
from undecided
left join answered using (a_id, b_id);

comment on view pair_runs is 'One row per comparison whose speed is not decided: what would decide it.';
comment on column pair_runs.a_id is 'Set a.';
comment on column pair_runs.b_id is 'Set b.';
comment on column pair_runs.prompt_count is 'Prompts with a decode speed on both sides.';
comment on column pair_runs.repeat_count is 'Repeats that both sides have of each, at least.';
comment on column pair_runs.run_count is 'Runs of the side with more.';
comment on column pair_runs.seen_difference is 'Relative difference seen.';
comment on column pair_runs.detectable_difference is 'Smallest that would be found with a power of 80 % at the spread seen.';
comment on column pair_runs.further_runs is 'Runs that each side needs in addition, in turn; NULL where none would do.';
comment on column pair_runs.reason is 'Why that is not known, or would not help.';
