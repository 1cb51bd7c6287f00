-- It counts more tokens than its text can hold, even at one byte for each:
-- Look whether the server counts text that it does not send; a speed made of such a count is none.
select
    file,
    op_index as "row",
    'completion_tokens' as name,
    concat(completion_tokens, ' for ', list_sum([chunk.chars for chunk in chunks]), ' characters') as value
from raw_operations
-- 4 bytes are the longest character of UTF-8; a few tokens, such as the end's, are no text
where first_text_ns is not null and completion_tokens > 4 * list_sum([chunk.chars for chunk in chunks]) + 32
order by file, op_index
