create or replace view damaged_files as
select 'runs' as folder, file, reason, contributor from raw_damaged left join raw_contributors using (file)
union all
select
    'runs',
    file,
    case why
        when 'twin' then 'it holds the run that ' || first || ' holds already'
        when 'copy' then 'all its times are those of ' || first || ', so it holds the same run under another name'
        when 'ahead' then 'it began at ' || strftime(run_started_at, '%Y-%m-%d %H:%M') || ', which is still to come'
    end as reason,
    contributor
from raw_set_aside
left join raw_contributors using (file)
union all
select folder, file, reason, null from raw_damaged_judgments
order by folder desc, file;
comment on view damaged_files is 'One row per file in results that was skipped.';
comment on column damaged_files.folder is 'Where in results it lies: runs, grades or votes.';
comment on column damaged_files.file is 'The file; it is neither moved nor changed.';
comment on column damaged_files.reason is 'Why it cannot be trusted.';
comment on column damaged_files.contributor is 'Whose it is, where that could be told of somebody else''s; NULL is this repository''s own, or not known.';
