-- It counts more tokens than came as text:
-- Look whether the server counts text that it does not send; a speed made of such a count is none.
with
streamed as (
    select
        file, run_id, op_index, completion_tokens as told_tokens, len(chunks) as event_count,
        list_sum([chunk.chars for chunk in chunks]) as chars
    from raw_operations
    where first_text_ns is not null
)
select
    file,
    op_index as "row",
    'completion_tokens' as name,
    concat(told_tokens, ' for ', chars, ' characters in ', event_count, ' events') as value
from streamed
left join (select run_id, op_index, count_reason from request_evidence) as evidence using (run_id, op_index)
-- 4 bytes are the longest character of UTF-8; a few tokens, such as the end's, are no text
where told_tokens > 4 * chars + 32 or count_reason = 'more tokens were counted than came as text'
order by file, op_index
