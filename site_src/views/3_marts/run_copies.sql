-- Times to the nanosecond happen once: runs that share all of theirs are one run under two names.
create or replace view run_copies as
with
timed as (
    select run_id, any_value(file) as file, list(elapsed_ns order by op_index) as times
    from raw_facts
    where elapsed_ns is not null
    group by run_id
)
select timed.run_id, timed.file, other.run_id as copy_id, other.file as copy_file
from timed
inner join timed as other on other.times = timed.times and other.run_id != timed.run_id
order by timed.run_id, other.run_id;

comment on view run_copies is 'One row per run and other run in which every operation took the same time, to the nanosecond.';
comment on column run_copies.run_id is 'The run.';
comment on column run_copies.file is 'Its file in results/runs.';
comment on column run_copies.copy_id is 'The other run.';
comment on column run_copies.copy_file is 'Its file.';
