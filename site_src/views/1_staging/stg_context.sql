create or replace view stg_context as
select
    raw.run_id,
    stg_runs.ladder_id,
    raw.op_index,
    raw.context_rung as rung,
    raw.repeat as set_number,
    raw.context_expected_tokens,
    raw.prompt_tokens,
    raw.completion_tokens,
    raw.cached_tokens,
    raw.error_kind,
    raw.first_text_ns,
    raw.last_text_ns,
    raw.slept_ms,
    raw.stood_ms,
    streams.chunk_count,
    streams.first_chars,
    streams.char_count,
    raw.context_expected_tokens is not null as is_sent,
    stg_runs.is_macos,
    len(raw.needles) as needle_count,
    len(list_filter(raw.needles, lambda needle: needle.found)) as found_count,
    streams.pss_bytes,
    streams.system_bytes,
    -- an answer that was cut short or left out still proves that the prompt was taken
    coalesce(
        not is_failure(raw.error_kind) and raw.first_text_ns is not null
        and abs(raw.prompt_tokens / raw.context_expected_tokens - 1)
            <= greatest(0.02, 3 / sqrt(raw.context_expected_tokens)),
        false
    ) as is_accepted
from raw_facts as raw
inner join stg_runs using (run_id)
left join stg_streams as streams using (run_id, op_index)
where raw.op = 'context';

comment on view stg_context is 'One row per request of a context ladder.';
comment on column stg_context.run_id is 'The run.';
comment on column stg_context.ladder_id is 'Ladders of the same machine, server, engine, model, quantization and context share it.';
comment on column stg_context.op_index is 'Place among the run''s operations.';
comment on column stg_context.rung is 'Prompt length aimed at, tokens.';
comment on column stg_context.set_number is 'Which of the rung''s two prompts.';
comment on column stg_context.context_expected_tokens is 'Prompt length expected from its characters, tokens.';
comment on column stg_context.prompt_tokens is 'Prompt length by the server, tokens.';
comment on column stg_context.completion_tokens is 'Tokens generated.';
comment on column stg_context.cached_tokens is 'Prompt tokens from the prompt cache.';
comment on column stg_context.error_kind is 'How it failed; NULL if it did not.';
comment on column stg_context.first_text_ns is 'Sent to first text, ns.';
comment on column stg_context.last_text_ns is 'Sent to last text, ns.';
comment on column stg_context.slept_ms is 'How long the machine slept meanwhile, ms.';
comment on column stg_context.stood_ms is 'How long the client stood still meanwhile, ms.';
comment on column stg_context.chunk_count is 'Streamed events with text.';
comment on column stg_context.needle_count is 'Needles hidden.';
comment on column stg_context.found_count is 'Needles the answer names.';
comment on column stg_context.pss_bytes is 'Highest PSS of the engine meanwhile (Linux).';
comment on column stg_context.system_bytes is 'Highest memory in use on the machine meanwhile.';
comment on column stg_context.is_accepted is 'It was answered, and the server counted the tokens that were sent, within 2 %, or 3 over the root of a short prompt''s tokens: how many were sent is estimated from others.';
comment on column stg_context.first_chars is 'Characters in the first of them.';
comment on column stg_context.char_count is 'Characters in all of them.';
comment on column stg_context.is_sent is 'Whether it was sent; what the budget kept back was not.';
comment on column stg_context.is_macos is 'Whether the machine runs macOS.';
