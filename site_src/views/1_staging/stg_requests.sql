create or replace view stg_requests as
select
    run_id,
    op_index,
    block,
    order_code,
    position,
    prompt_id,
    prompt_category,
    prompt_sha256,
    repeat,
    nonce,
    max_tokens,
    finish_reason,
    error_kind,
    error_detail,

    ---------- tokens
    prompt_tokens,
    completion_tokens,
    cached_tokens,
    reported_decode_tps,

    ---------- times in ns since sending
    first_text_ns,
    first_answer_ns,
    last_text_ns,
    done_ns,

    ---------- the stream, text only
    list_filter(chunks, lambda chunk: chunk.chars > 0) as text_chunks
from raw_operations
where op = 'request';

comment on view stg_requests is 'One row per measured request, failed ones included; warm-ups are no requests.';
comment on column stg_requests.run_id is 'The run.';
comment on column stg_requests.op_index is 'Place among the run''s operations.';
comment on column stg_requests.block is 'Which block of its order the run is, from 1.';
comment on column stg_requests.order_code is 'Order of blocks in the plan, such as ABBA; NULL outside the plan.';
comment on column stg_requests.position is 'Place among the run''s measured requests, from 1.';
comment on column stg_requests.prompt_id is 'The prompt''s name in its suite.';
comment on column stg_requests.prompt_category is 'What kind of prompt it is.';
comment on column stg_requests.prompt_sha256 is 'Hash of text, material and token limit: equal prompts are equal here.';
comment on column stg_requests.repeat is 'Which repeat of the prompt, from 1.';
comment on column stg_requests.nonce is 'Six digits the request began with.';
comment on column stg_requests.max_tokens is 'Token limit sent.';
comment on column stg_requests.finish_reason is 'Why generation ended.';
comment on column stg_requests.error_kind is 'How the request failed; NULL if it did not.';
comment on column stg_requests.error_detail is 'What was said about the failure.';
comment on column stg_requests.prompt_tokens is 'Tokens in the prompt, by the server.';
comment on column stg_requests.completion_tokens is 'Tokens generated, by the server.';
comment on column stg_requests.cached_tokens is 'Prompt tokens from the prompt cache; NULL where the server does not say.';
comment on column stg_requests.reported_decode_tps is 'Decode speed the server claims, tokens per second.';
comment on column stg_requests.first_text_ns is 'Sent to first text, ns.';
comment on column stg_requests.first_answer_ns is 'Sent to first text of the answer, ns.';
comment on column stg_requests.last_text_ns is 'Sent to last text, ns.';
comment on column stg_requests.done_ns is 'Sent to the end of the stream, ns.';
comment on column stg_requests.text_chunks is 'The streamed events that carried text.';
