create or replace view damaged_files as
select file, reason from raw_damaged
union all
select file, 'it holds the run that ' || first || ' holds already' as reason from raw_twins
order by file;
comment on view damaged_files is 'One row per file in results/runs that was skipped.';
comment on column damaged_files.file is 'The file; it is neither moved nor changed.';
comment on column damaged_files.reason is 'Why it cannot be trusted.';
