-- An operation of it ends after the run did:
-- Take the file again from where it was made; none is ever edited.
select
    file,
    op_index as "row",
    'elapsed_ns' as name,
    printf('%.3f s from %.3f s on, in a run of %.3f s', elapsed_ns / 1e9, started_ns / 1e9, run_seconds) as value
from raw_operations
where coalesce(started_ns, 0) + elapsed_ns > run_seconds * 1e9
order by file, op_index
