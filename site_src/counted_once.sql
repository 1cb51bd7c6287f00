-- Files that do not count, and why: from the future, another of the same run, or a copy of one under another name.
-- Times to the nanosecond happen once: runs that share all of theirs are one run, whatever else they say of themselves.
-- Of those the one that began first counts; the others may have been given another beginning. A contributed file never
-- takes the place of the owner's.
with
runs as (
    select
        file, any_value(run_id) as run_id, any_value(run_started_at) as run_started_at,
        file in (select file from raw_contributors) as is_contributed,
        list(elapsed_ns order by op_index) filter (where elapsed_ns is not null) as times
    from raw_facts
    group by file
),
named as (
    select *, first_value(file) over (partition by run_id order by is_contributed, run_started_at, file) as first
    from runs
    where run_started_at <= $latest
),
timed as (
    select
        file, run_id, run_started_at, first_value(file) over same as first, first_value(run_id) over same as first_id
    from named
    where file = first and times is not null
    window same as (partition by times order by is_contributed, run_started_at, run_id, file)
)
select file, run_id, run_started_at, 'ahead' as why, null as first, null as first_id
from runs where run_started_at > $latest
union all
select file, run_id, run_started_at, 'twin', first, run_id from named where file != first
union all
select file, run_id, run_started_at, 'copy', first, first_id from timed where file != first
