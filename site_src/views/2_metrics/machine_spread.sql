-- How far runs of the same thing are apart on a machine: one variance over all its configurations, of runs under the same
-- versions with the same prompts, s^2 = sum of (c - mean c)^2 / sum of (n - 1), c being the logarithm of a run's headline
-- (pooled variance of a one-way analysis). Part of it is what repeats within a run are apart; that part stands beside it.
create or replace view machine_spread as
with
measured as (
    select
        machine, configuration_id, set_id, figure,
        var_samp(center) * (count(*) - 1) as squares,
        count(*) - 1 as degrees,
        avg(error_variance) * (count(*) - 1) as noise,
        count(*) as run_count
    from set_runs
    inner join (select distinct set_id, configuration_id from run_sets where kind = 'version') as sets using (set_id)
    inner join (select configuration_id, machine from configurations) as known using (configuration_id)
    group by machine, configuration_id, set_id, figure
    having count(*) > 1
)
select
    machine, figure,
    sum(squares) / sum(degrees) as run_variance,
    coalesce(sum(noise) / sum(degrees) filter (noise is not null), 0) as noise_variance,
    sum(degrees)::bigint as degrees,
    sum(run_count)::bigint as run_count,
    count(distinct configuration_id) as configuration_count,
    exp(sqrt(sum(squares) / sum(degrees))) - 1 as run_spread
from measured
group by machine, figure;

comment on view machine_spread is 'One row per machine and figure that some configuration has from two runs under the same versions: how far runs are apart.';
comment on column machine_spread.machine is 'The machine.';
comment on column machine_spread.figure is 'decode, ttft, prefill, decode energy or prefill energy.';
comment on column machine_spread.run_variance is 'Variance of ln(headline) from run to run, pooled over configurations; it holds that of repeats.';
comment on column machine_spread.noise_variance is 'What of it repeats within a run explain: mean squared standard error of a run''s headline.';
comment on column machine_spread.degrees is 'Degrees of freedom of the variance: runs less the groups they are of.';
comment on column machine_spread.run_count is 'Runs it is taken from.';
comment on column machine_spread.configuration_count is 'Configurations these are of.';
comment on column machine_spread.run_spread is 'The standard deviation as a share: by how much a run is typically off.';
