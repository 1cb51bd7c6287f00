-- Which versions a run was measured under, and whether its engine is the one of today: that of the newest run with a speed.
-- Speeds of different engines are never pooled; server and system may differ within a configuration, and are told.
create or replace view run_versions as
with
named as (
    select
        run_id,
        configuration_id,
        machine,
        run_started_at,
        run_state,
        coalesce(runtime || ' ' || runtime_version, server || ' ' || server_version) as engine,
        concat_ws(' · ', server || ' ' || server_version, runtime || ' ' || runtime_version, os) as version,
        run_id in (select run_id from request_speed where decode_tps is not null) as has_speed
    from stg_runs
    where server is distinct from 'llama-bench'
)
select
    *,
    engine is not distinct from first_value(engine) over (
        partition by configuration_id order by has_speed desc, run_started_at desc, run_id desc
    ) as is_current
from named;

comment on view run_versions is 'One row per run: the versions it was measured under.';
comment on column run_versions.run_id is 'The run.';
comment on column run_versions.configuration_id is 'Its configuration.';
comment on column run_versions.machine is 'Its machine.';
comment on column run_versions.run_started_at is 'When it began, UTC.';
comment on column run_versions.run_state is 'complete or interrupted.';
comment on column run_versions.engine is 'The engine with its version; of a run whose engine has no known version the server with its own.';
comment on column run_versions.version is 'Versions of server, engine and system.';
comment on column run_versions.has_speed is 'Whether it has a request with a decode speed.';
comment on column run_versions.is_current is 'Whether its engine is that of the newest run of its configuration that has a speed.';
