-- Speeds are compared between sets of runs: a configuration as it is today, the part of it under one set of versions, a
-- single run. Runs of an older engine are in no configuration's set; history keeps them.
create or replace view run_sets as
with
versions as (
    select
        configuration_id,
        version,
        row_number() over (partition by configuration_id order by min(run_started_at), version) as place
    from run_versions
    group by configuration_id, version
)
select configuration_id as set_id, 'configuration' as kind, configuration_id, null::bigint as place, version, run_id
from run_versions
where is_current
union all
select concat_ws(' v', configuration_id, place) as set_id, 'version', configuration_id, place, version, run_id
from run_versions
inner join versions using (configuration_id, version)
union all
select
    run_id as set_id,
    'run',
    configuration_id,
    if(has_speed, row_number() over (partition by configuration_id, has_speed order by run_started_at, run_id), null),
    version,
    run_id
from run_versions;

comment on view run_sets is 'One row per set of runs and run in it.';
comment on column run_sets.set_id is 'The set: the id of a configuration or run, or that of a configuration and the place of its versions.';
comment on column run_sets.kind is 'configuration: all its runs; version: those under one set of versions; run: a single one.';
comment on column run_sets.configuration_id is 'The configuration of all its runs.';
comment on column run_sets.place is 'Versions and runs: place in the configuration''s history, from 1; NULL for a run without any decode speed.';
comment on column run_sets.version is 'Server, engine and operating system of this run, with versions.';
comment on column run_sets.run_id is 'The run.';
