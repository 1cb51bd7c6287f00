-- Times to the nanosecond happen once: runs that share all of theirs are one run under two names.
create or replace view run_copies as
select first_id as run_id, first as file, run_id as copy_id, file as copy_file
from raw_set_aside
where why = 'copy'
order by first_id, copy_id, copy_file;

comment on view run_copies is 'One row per run that counts for nothing because in another, which counts, every operation took the same time, to the nanosecond.';
comment on column run_copies.run_id is 'The run that counts: of all alike the one that began first.';
comment on column run_copies.file is 'Its file in results/runs.';
comment on column run_copies.copy_id is 'The run that is left out.';
comment on column run_copies.copy_file is 'Its file.';
