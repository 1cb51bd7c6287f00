-- Its prompt was cut: elsewhere it has far more tokens:
-- Load the model with a context that holds the prompts, and measure again.
select file, op_index as "row", 'prompt_tokens' as name, prompt_tokens as value
from request_flags
inner join (select run_id, op_index, file, prompt_tokens from raw_facts) as facts using (run_id, op_index)
where cut_reason = 'the prompt was cut: elsewhere it has far more tokens'
order by file, op_index
