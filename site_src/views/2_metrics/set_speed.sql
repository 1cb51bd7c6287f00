-- Headline of a set: geometric mean over runs of their headlines. Its interval says where the speed lies on another day:
-- Student-t with the machine's pooled variance, t s / sqrt(n); never narrower than what repeats within the runs say.
-- Where several tokens come in a chunk, the first one's are estimated: the error of that is added, squared, as it stands.
-- With nothing to pool yet, there is nothing but these repeats: the interval holds within this run.
create or replace view set_speed as
with
centered as (
    select
        set_id, figure,
        any_value(machine) as machine,
        avg(center) as center,
        avg(count_error) as count_error,
        count(*) as run_count,
        any_value(prompt_count) as prompt_count,
        sum(value_count)::bigint as value_count,
        sqrt(sum(error_variance)) / nullif(count(error_variance), 0) as within_error,
        sum(degrees)::bigint as within_degrees
    from set_runs
    inner join (select distinct set_id, configuration_id from run_sets) as sets using (set_id)
    inner join (select configuration_id, machine from configurations) as known using (configuration_id)
    group by set_id, figure
),
bounded as (
    select
        centered.*,
        within_error * t_of(within_degrees) as within_margin,
        t_of(machine_spread.degrees) * sqrt(run_variance / centered.run_count) as between_margin
    from centered
    left join machine_spread using (machine, figure)
)
select
    * exclude (machine, within_error, within_degrees, between_margin),
    sqrt(
        pow(if(between_margin is null, within_margin, greatest(between_margin, coalesce(within_margin, 0))), 2) + pow(coalesce(count_error, 0), 2)
    ) as margin,
    case when between_margin is not null then 'between runs' when within_margin is not null then 'within this run' end
        as interval_kind
from bounded;

comment on view set_speed is 'One row per set of runs and figure: its speed, with the interval in which it lies on another day.';
comment on column set_speed.set_id is 'The set, as in run_sets.';
comment on column set_speed.figure is 'decode, ttft, prefill, decode energy or prefill energy.';
comment on column set_speed.center is 'ln of the headline: mean over runs of ln of theirs.';
comment on column set_speed.count_error is 'What the estimate of the first chunk''s tokens adds to the interval.';
comment on column set_speed.run_count is 'Runs behind it.';
comment on column set_speed.prompt_count is 'Prompts behind it; each of these runs has each of them.';
comment on column set_speed.value_count is 'Requests behind it.';
comment on column set_speed.within_margin is 'Half a 95 % interval from repeats within the runs alone.';
comment on column set_speed.margin is 'Half the 95 % interval.';
comment on column set_speed.interval_kind is 'between runs: it holds what runs of this machine differ by; within this run: no configuration has two runs yet, and it does not.';
