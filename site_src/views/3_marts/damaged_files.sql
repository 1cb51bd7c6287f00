create or replace view damaged_files as select file, reason from raw_damaged order by file;

comment on view damaged_files is 'One row per file in results/runs that was skipped.';
comment on column damaged_files.file is 'The file; it is neither moved nor changed.';
comment on column damaged_files.reason is 'Why it cannot be trusted.';
