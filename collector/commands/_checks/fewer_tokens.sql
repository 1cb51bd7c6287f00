-- It counts fewer tokens than came:
-- Look whether the server counts at all, or leaves some tokens out; until then no rate can be made of it.
select
    file,
    op_index as "row",
    'completion_tokens' as name,
    concat(completion_tokens, ', beside ', chunk_count, ' chunks with text') as value
from raw_facts
inner join (select run_id, op_index, chunk_count from stg_streams) as streams using (run_id, op_index)
left join (select run_id, op_index, count_reason from request_evidence) as evidence using (run_id, op_index)
where (completion_tokens = 0 and chunk_count > 0) or count_reason = 'fewer tokens were counted than chunks came'
order by file, op_index
