create or replace view data_overview as
select
    count(distinct run_id) as run_count,
    count(*) as operation_count,
    count(*) filter (op = 'request') as request_count,
    (select count(*) from machines) as machine_count,
    (select count(*) from configurations) as configuration_count,
    (select count(*) from damaged_files) as damaged_count,
    min(run_started_at) as first_run_at,
    max(run_started_at) as latest_run_at
from raw_facts;

comment on view data_overview is 'One row: how much data there is to download.';
comment on column data_overview.run_count is 'Runs, one file each.';
comment on column data_overview.operation_count is 'Operations in them, one row each.';
comment on column data_overview.request_count is 'Measured requests among these.';
comment on column data_overview.machine_count is 'Machines.';
comment on column data_overview.configuration_count is 'Configurations.';
comment on column data_overview.damaged_count is 'Files that cannot be trusted and are left out.';
comment on column data_overview.first_run_at is 'When the first run began, UTC.';
comment on column data_overview.latest_run_at is 'When the latest run began, UTC.';
