create or replace view damaged_files as
select 'runs' as folder, file, reason from raw_damaged
union all
select
    'runs',
    file,
    case why
        when 'twin' then 'it holds the run that ' || first || ' holds already'
        when 'copy' then 'all its times are those of ' || first || ', so it holds the same run under another name'
        when 'ahead' then 'it began at ' || strftime(run_started_at, '%Y-%m-%d %H:%M') || ', which is still to come'
    end as reason
from raw_set_aside
union all
select folder, file, reason from raw_damaged_judgments
order by folder desc, file;
comment on view damaged_files is 'One row per file in results that was skipped.';
comment on column damaged_files.folder is 'Where in results it lies: runs, grades or votes.';
comment on column damaged_files.file is 'The file; it is neither moved nor changed.';
comment on column damaged_files.reason is 'Why it cannot be trusted.';
