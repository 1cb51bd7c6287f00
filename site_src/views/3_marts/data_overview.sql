create or replace view data_overview as
select
    count(distinct run_id) filter (contributor is null) as run_count,
    count(*) filter (contributor is null) as operation_count,
    count(*) filter (op = 'request' and contributor is null) as request_count,
    (select count(*) from machines where machines.contributor is null) as machine_count,
    (
        select count(*) from configurations
        anti join (select machine from machines where machines.contributor is not null) as others using (machine)
    ) as configuration_count,
    count(distinct run_id) filter (contributor is not null) as contributed_run_count,
    count(distinct contributor) as contributor_count,
    (select count(*) from damaged_files where damaged_files.contributor is null) as damaged_count,
    min(run_started_at) filter (contributor is null) as first_run_at,
    max(run_started_at) filter (contributor is null) as latest_run_at
from raw_facts
left join raw_contributors using (file);

comment on view data_overview is 'One row: how much data there is to download.';
comment on column data_overview.run_count is 'Runs, one file each.';
comment on column data_overview.operation_count is 'Operations in them, one row each.';
comment on column data_overview.request_count is 'Measured requests among these.';
comment on column data_overview.machine_count is 'Machines.';
comment on column data_overview.configuration_count is 'Configurations.';
comment on column data_overview.damaged_count is 'Files that cannot be trusted and are left out.';
comment on column data_overview.first_run_at is 'When the first run began, UTC.';
comment on column data_overview.latest_run_at is 'When the latest run began, UTC.';
comment on column data_overview.contributed_run_count is 'Runs of others, beside these.';
comment on column data_overview.contributor_count is 'Others who contributed runs; each file that is not signed is one.';
