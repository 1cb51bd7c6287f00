-- Its text came in bursts, so that no request has a speed:
-- Measure again without what gathers events on the way, such as a proxy that buffers.
select file, cast(null as integer) as "row", 'chunks' as name, concat(count(*), ' requests') as value
from stg_streams
inner join request_evidence using (run_id, op_index)
inner join (select run_id, op_index, decode_tps from request_speed where not is_failed) as speeds using (run_id, op_index)
group by file
having
    count(decode_tps) = 0
    and bool_and(
        rate_reason in ('the text came in bursts', 'all text arrived at once') and chunk_count >= 8
        and text_to_ns is not null  -- a time that is missing says nothing of bursts
    )
order by file
