-- Its texts came twice each, as of two choices:
-- Ask the server for one choice (n = 1), and measure again: two at once are another speed.
select file, op_index as "row", 'chunks' as name, concat(twin_count, ' pairs') as value
from stg_streams
inner join request_evidence using (run_id, op_index)
where count_reason = 'each text came twice, as of two choices'
order by file, op_index
