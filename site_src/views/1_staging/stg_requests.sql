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
    prompt_chars,
    repeat,
    nonce,
    max_tokens,
    finish_reason,
    error_kind,
    error_detail,

    ---------- tokens
    nullif(prompt_tokens, 0) as prompt_tokens,
    nullif(completion_tokens, 0) as completion_tokens,
    reasoning_tokens,
    cached_tokens,
    reported_decode_tps,
    reported_prompt_ms,

    ---------- times in ns since sending
    started_ns,
    first_event_ns,
    first_text_ns,
    first_answer_ns,
    last_text_ns,
    done_ns,

    ---------- the stream, text only
    early_chunk_count,
    early_tokens,
    early_us,
    chunk_count,
    first_chars,
    char_count,
    arrival_count,
    first_arrival_chars,
    gap_ms,

    ---------- around it
    client_cpu_us,
    slept_ms,
    stood_ms,
    pressure_level,
    thermal_level
from raw_facts
left join (select * exclude (file) from stg_streams) as streams using (run_id, op_index)
left join (select * exclude (file) from stg_early) as early using (run_id, op_index)
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
comment on column stg_requests.prompt_chars is 'Characters sent; blanks, and what repeats at once, count once; NULL in older files.';
comment on column stg_requests.repeat is 'Which repeat of the prompt, from 1.';
comment on column stg_requests.nonce is 'Six digits the request began with.';
comment on column stg_requests.max_tokens is 'Token limit sent.';
comment on column stg_requests.finish_reason is 'Why generation ended.';
comment on column stg_requests.error_kind is 'How the request failed; NULL if it did not.';
comment on column stg_requests.error_detail is 'What was said about the failure.';
comment on column stg_requests.prompt_tokens is 'Tokens in the prompt, by the server; 0 is no count.';
comment on column stg_requests.completion_tokens is 'Tokens generated, by the server; 0 is no count.';
comment on column stg_requests.reasoning_tokens is 'Of those, reasoning; NULL where the server does not say.';
comment on column stg_requests.cached_tokens is 'Prompt tokens from the prompt cache; NULL where the server does not say.';
comment on column stg_requests.reported_decode_tps is 'Decode speed the server claims, tokens per second.';
comment on column stg_requests.first_text_ns is 'Sent to first text, ns.';
comment on column stg_requests.first_answer_ns is 'Sent to first text of the answer, ns.';
comment on column stg_requests.last_text_ns is 'Sent to last text, ns.';
comment on column stg_requests.done_ns is 'Sent to the end of the stream, ns.';
comment on column stg_requests.early_chunk_count is 'Chunks that hold the first 256 tokens of a longer answer.';
comment on column stg_requests.early_tokens is 'Tokens in them after the first chunk.';
comment on column stg_requests.early_us is 'Time from the first of these chunks to the last, µs.';
comment on column stg_requests.chunk_count is 'Streamed events that carried text.';
comment on column stg_requests.first_chars is 'Characters in the first of them.';
comment on column stg_requests.char_count is 'Characters in all of them.';
comment on column stg_requests.arrival_count is 'Moments at which text came; chunks of one read share one.';
comment on column stg_requests.first_arrival_chars is 'Characters that came at the first of them.';
comment on column stg_requests.gap_ms is 'Time between them, ms: median, 95th and 99th percentile.';
comment on column stg_requests.reported_prompt_ms is 'Time the server says it spent on the prompt, ms.';
comment on column stg_requests.started_ns is 'When it was sent, in ns since the run began.';
comment on column stg_requests.first_event_ns is 'Sent to first event of any kind, ns.';
comment on column stg_requests.client_cpu_us is 'CPU time of the client during the request, µs.';
comment on column stg_requests.slept_ms is 'How long the machine slept meanwhile, ms.';
comment on column stg_requests.stood_ms is 'How long the client stood still meanwhile, ms.';
comment on column stg_requests.pressure_level is 'Highest memory pressure while it ran: 1 normal, 2 warn, 4 critical; NULL where the system does not tell.';
comment on column stg_requests.thermal_level is 'Highest thermal pressure while it ran: 0 nominal to 4; NULL where the system does not tell.';
