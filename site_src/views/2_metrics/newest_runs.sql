create or replace view newest_runs as
select
    run_id, file, configuration_id, run_started_at,
    row_number() over (partition by configuration_id order by run_started_at desc, run_id) as place,
    place <= 5 as has_report
from stg_runs
qualify place <= 10;

comment on view newest_runs is 'One row per run that is among the newest ten of its configuration: pages show these one by one.';
comment on column newest_runs.run_id is 'The run.';
comment on column newest_runs.file is 'Its file in results/runs.';
comment on column newest_runs.configuration_id is 'Its configuration.';
comment on column newest_runs.run_started_at is 'When it began, UTC.';
comment on column newest_runs.place is 'Place in its configuration, the latest first.';
comment on column newest_runs.has_report is 'Whether the site has a report of it: those of others are made when asked for.';
