-- One configuration under one set of versions, and the set measured before it. A history of several versions asks as often
-- as it has steps whether something changed: the margin is that of the largest of so many (studentized maximum modulus), so
-- that in 95 of 100 histories in which nothing changed no step seems to be one. Twelve versions are eleven questions, for which the quantile for sixteen is taken.
create or replace view version_speed as
with
ordered as (
    select
        set_id,
        any_value(configuration_id) as configuration_id,
        any_value(place) as place,
        any_value(version) as version,
        min(run_started_at) as first_run_at,
        count(*) as run_count,
        max(any_value(place)) over (partition by any_value(configuration_id)) - 1 as step_count
    from run_sets
    inner join (select run_id, run_started_at from stg_runs) as runs using (run_id)
    where kind = 'version'
    group by set_id
)
select
    after.configuration_id,
    after.place,
    after.version,
    earlier.version as version_before,
    after.first_run_at,
    after.run_count,
    after.step_count,
    coalesce(pair_speed.a_run_count, 0) as compared_run_count,
    coalesce(pair_speed.b_run_count, 0) as earlier_run_count,
    coalesce(pair_speed.prompt_count, 0) as prompt_count,
    coalesce(pair_speed.request_count, 0) as request_count,
    pair_speed.decode,
    if(
        pair_speed.interval_kind = 'between runs', pair_speed.decode_se * t_of_all(pair_speed.decode_df, after.step_count), null
    ) as decode_margin
from ordered as after
left join ordered as earlier
    on earlier.configuration_id = after.configuration_id and earlier.place = after.place - 1
left join pair_speed on pair_speed.a_id = after.set_id and pair_speed.b_id = earlier.set_id
where after.configuration_id in (select configuration_id from configurations where not is_ladder);

comment on view version_speed is 'One row per configuration and set of versions: speed against the set measured before.';
comment on column version_speed.configuration_id is 'The configuration.';
comment on column version_speed.place is 'Place of this set of versions in the history, from 1.';
comment on column version_speed.version is 'Server, engine and operating system, with versions.';
comment on column version_speed.version_before is 'The set before; NULL for the first.';
comment on column version_speed.first_run_at is 'First run under it, UTC.';
comment on column version_speed.run_count is 'Runs under it.';
comment on column version_speed.step_count is 'Steps in the history, one fewer than versions: so many comparisons the margin is corrected for.';
comment on column version_speed.compared_run_count is 'Runs behind the comparison under it.';
comment on column version_speed.earlier_run_count is 'Runs behind it under that before.';
comment on column version_speed.prompt_count is 'Prompts measured under both.';
comment on column version_speed.request_count is 'Requests behind the comparison.';
comment on column version_speed.decode is 'Mean over prompts of ln(decode speed / that before).';
comment on column version_speed.decode_margin is 'Half its interval, of 95 % for all steps together; NULL where no spread of runs is known.';
