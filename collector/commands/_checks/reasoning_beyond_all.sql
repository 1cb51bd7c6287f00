-- It counts more reasoning than tokens in all:
-- Look which of both the server counts wrongly; a rate could be made of neither.
select
    file,
    op_index as "row",
    'reasoning_tokens' as name,
    concat(reasoning_tokens, ', of ', completion_tokens, ' in all') as value
from raw_facts
where reasoning_tokens > completion_tokens and completion_tokens > 0
order by file, op_index
