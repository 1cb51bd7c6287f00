-- Geometric mean over prompts. What it may be off by comes from prompts and, as the run is the unit, from the runs of both
-- sides: se^2 = var(prompts) / P + (s^2 - noise) (1 / n_a + 1 / n_b), where s^2 is the machine's pooled variance and noise
-- the part of it that repeats explain, which prompts hold already. Degrees of freedom by Satterthwaite, the run part with
-- those of s^2 also where nothing of it is left. Two sets of one configuration have the same prompts, and s^2 holds all they
-- differ by: s^2 (1 / n_a + 1 / n_b), with its degrees. It is at least what repeats explain, and what prompts show. What the
-- first chunk's tokens are estimated wrong by on both sides is added to the margin, squared.
create or replace view pair_figures as
with
ratios as (
    select
        a_id, b_id, figure,
        count(ratio) as prompt_count,
        sum(request_count)::bigint as request_count,
        min(repeat_count) filter (ratio is not null) as repeat_count,
        avg(variance) as within_variance,
        var_samp(ratio) as prompt_variance,
        avg(ratio) as center,
        count(*) filter (is_early) as early_count,
        count(*) filter (is_early and ratio is null) as untimed_count
    from pair_prompts
    group by a_id, b_id, figure
),
sided as (
    select
        ratios.*,
        a.run_count as a_run_count,
        b.run_count as b_run_count,
        least(a.run_count, b.run_count) as run_count,
        1 / a.run_count + 1 / b.run_count as run_share,
        coalesce(pow(a.count_error, 2) + pow(b.count_error, 2), 0) as count_part,
        a_set.configuration_id != b_set.configuration_id as is_apart,
        prompt_variance / ratios.prompt_count as prompt_part,
        run_variance,
        greatest(run_variance, noise_variance) * run_share as run_part,
        greatest(run_variance - noise_variance, 0) as lasting_variance,
        machine_spread.degrees as spread_degrees
    from ratios
    inner join set_speed as a on a.set_id = a_id and a.figure = ratios.figure
    inner join set_speed as b on b.set_id = b_id and b.figure = ratios.figure
    inner join (select distinct set_id, configuration_id from run_sets) as a_set on a_set.set_id = a_id
    inner join (select distinct set_id, configuration_id from run_sets) as b_set on b_set.set_id = b_id
    inner join configurations on configurations.configuration_id = a_set.configuration_id
    left join machine_spread on machine_spread.machine = configurations.machine and machine_spread.figure = ratios.figure
),
summed as (
    select
        *,
        case
            when run_variance is null then prompt_part
            when is_apart then prompt_part + lasting_variance * run_share
            else greatest(run_part, coalesce(prompt_part, 0))
        end as variance,
        case
            when run_variance is null then prompt_count - 1
            when is_apart then satterthwaite(variance, prompt_part, prompt_count - 1, run_variance * run_share, spread_degrees)
            else if(prompt_part > run_part, prompt_count - 1, spread_degrees)
        end::double as degrees
    from sided
)
select
    a_id, b_id, figure, is_apart,
    prompt_count, request_count, repeat_count, a_run_count, b_run_count, run_count,
    within_variance, prompt_variance, run_variance, lasting_variance, spread_degrees, early_count, untimed_count,
    center,
    sqrt(variance) as error,
    degrees,
    sqrt(pow(if(variance = 0, 0, sqrt(variance) * t_of(degrees)), 2) + count_part) as margin,
    exp(sqrt(variance) * t_found(degrees)) - 1 as detectable,
    if(center is null, null, if(run_variance is null, 'within this run', 'between runs')) as interval_kind
from summed;

comment on view pair_figures is 'One row per comparable pair and figure: a over b, and what it may be off by.';
comment on column pair_figures.a_id is 'Set a.';
comment on column pair_figures.b_id is 'Set b.';
comment on column pair_figures.figure is 'decode or ttft.';
comment on column pair_figures.is_apart is 'Whether the sets are of two configurations, and not of one.';
comment on column pair_figures.prompt_count is 'Prompts with the figure on both sides.';
comment on column pair_figures.request_count is 'Requests of both sides behind it.';
comment on column pair_figures.repeat_count is 'Repeats that both sides have of each prompt, at least.';
comment on column pair_figures.a_run_count is 'Runs behind side a.';
comment on column pair_figures.b_run_count is 'Runs behind side b.';
comment on column pair_figures.run_count is 'Runs of the side with fewer.';
comment on column pair_figures.within_variance is 'Variance of the ln-ratio over the repeats of a prompt, mean over prompts.';
comment on column pair_figures.prompt_variance is 'Variance of the ln-ratio over prompts, which holds that over repeats divided by their number.';
comment on column pair_figures.run_variance is 'The machine''s variance from run to run, as in machine_spread; NULL where nothing can be pooled.';
comment on column pair_figures.lasting_variance is 'What of it repeats do not explain.';
comment on column pair_figures.spread_degrees is 'Its degrees of freedom.';
comment on column pair_figures.early_count is 'Prompts whose answers differ in length by more than 20 %.';
comment on column pair_figures.untimed_count is 'Those of them that are left out, since the first 256 tokens were not timed.';
comment on column pair_figures.center is 'Mean over prompts of ln(figure of a / of b).';
comment on column pair_figures.error is 'Its standard error.';
comment on column pair_figures.degrees is 'Degrees of freedom of that.';
comment on column pair_figures.margin is 'Half its 95 % interval.';
comment on column pair_figures.detectable is 'Smallest relative difference that would be found with a power of 80 % at the spread seen.';
comment on column pair_figures.interval_kind is 'between runs, or within this run where no spread of runs is known yet.';
