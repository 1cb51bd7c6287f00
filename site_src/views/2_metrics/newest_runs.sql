create or replace view newest_runs as
select
    run_id, file, configuration_id, run_started_at,
    row_number() over (partition by configuration_id order by run_started_at desc, run_id) as place
from stg_runs
qualify place <= 10;

comment on view newest_runs is 'One row per run that is among the newest ten of its configuration: pages show these one by one, and these have reports.';
comment on column newest_runs.run_id is 'The run.';
comment on column newest_runs.file is 'Its file in results/runs.';
comment on column newest_runs.configuration_id is 'Its configuration.';
comment on column newest_runs.run_started_at is 'When it began, UTC.';
comment on column newest_runs.place is 'Place in its configuration, the latest first.';
