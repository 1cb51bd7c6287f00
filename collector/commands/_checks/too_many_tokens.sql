-- It counts more tokens than were allowed:
-- Look whether the server keeps max_tokens; if it does not, say so in the pull request, for its speeds are of other requests.
select file, op_index as "row", 'completion_tokens' as name, concat(completion_tokens, ', at most ', max_tokens) as value
from raw_operations
where completion_tokens > max_tokens
order by file, op_index
