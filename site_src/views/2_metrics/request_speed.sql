-- Formulas and validity rules: NVIDIA and vLLM definitions of TTFT; decode rate as (n - n_first) / (t_last - t_first).
create or replace view request_speed as
with
counted as (
    select
        stg_requests.* replace (evidence.completion_tokens as completion_tokens),
        evidence.* exclude (run_id, op_index, completion_tokens),
        run_roundtrip.roundtrip_ns
    from stg_requests
    inner join request_evidence as evidence using (run_id, op_index)
    left join run_roundtrip using (run_id)
),
judged as (
    select
        *,
        if(is_failure(error_kind), 'the request failed: ' || error_kind, first_text_reason) as ttft_reason,
        case
            when is_failure(error_kind) then 'the request failed: ' || error_kind
            when completion_tokens is null then count_reason
            when completion_tokens < 32 then 'fewer than 32 tokens were generated'
            when count_reason is not null then count_reason
            when coalesce(chunk_count, 0) < 8 then 'fewer than 8 chunks arrived'
            else rate_reason
        end as decode_reason,
        case
            when is_failure(error_kind) then 'the request failed: ' || error_kind
            when prompt_tokens is null then 'the server sent no token count'
            when cached_tokens > 16 then 'the prompt was partly cached'
            when prompt_tokens < 512 then 'the prompt is shorter than 512 tokens'
            when first_text_reason is not null then first_text_reason
            when roundtrip_ns is null then 'the round trip was not measured'
            when text_from_ns <= roundtrip_ns then 'the first text came within a round trip'
        end as prefill_reason,
        case
            when is_failure(error_kind) then 'the request failed: ' || error_kind
            when error_kind = 'truncated_in_reasoning' then 'the token limit ended in the reasoning'
            when first_answer_ns is null then 'no text of an answer came'
            when first_answer_ns = first_text_ns and first_text_reason in ('all text arrived at once', 'the first text came in a burst')
                then first_text_reason
        end as ttfa_reason
    from counted
)
select
    run_id,
    op_index,
    prompt_id,
    prompt_category,
    prompt_sha256,
    repeat,
    position,
    is_failure(error_kind) as is_failed,
    error_kind,
    prompt_tokens,
    completion_tokens,
    cached_tokens,
    chunk_count,
    chunk_count / completion_tokens as batch_ratio,
    if(not is_failure(error_kind), ms(first_event_ns), null) as ttfr_ms,
    if(ttft_reason is null, ms(text_from_ns), null) as ttft_ms,
    if(ttfa_reason is null, ms(first_answer_ns), null) as ttfa_ms,
    ttfa_reason,
    if(decode_reason is null, rate_tps, null) as decode_tps,
    decode_reason,
    if(decode_reason is null, completion_tokens - first_tokens, null) as decode_tokens,
    case
        when decode_reason is not null then null
        when completion_tokens <= 256 then decode_tps
        when early_chunk_count >= 32 then early_tokens * 1e6 / nullif(early_us, 0)
    end as decode_256_tps,
    if(prefill_reason is null, per_s(prompt_tokens - coalesce(cached_tokens, 0), text_from_ns - roundtrip_ns), null)
        as prefill_tps,
    prefill_reason,
    if(not is_failure(error_kind) and count_reason is null, per_s(completion_tokens, done_ns), null) as e2e_tps,
    if(
        not is_failure(error_kind) and char_count - first_arrival_chars >= 32,
        per_s(char_count - first_arrival_chars, text_to_ns - text_from_ns), null
    ) as chars_per_s,
    reported_decode_tps,
    reported_prompt_ms,
    client_cpu_us,
    decode_count_error,
    ttft_reason,
    note
from judged;

comment on view request_speed is 'One row per measured request: its speeds, each NULL with a reason where it means nothing.';
comment on column request_speed.run_id is 'The run.';
comment on column request_speed.op_index is 'Place among the run''s operations.';
comment on column request_speed.prompt_id is 'The prompt''s name in its suite.';
comment on column request_speed.prompt_category is 'What kind of prompt it is.';
comment on column request_speed.prompt_sha256 is 'Hash of the prompt.';
comment on column request_speed.repeat is 'Which repeat of the prompt, from 1.';
comment on column request_speed.position is 'Place among the run''s measured requests, from 1.';
comment on column request_speed.is_failed is 'Whether the request failed.';
comment on column request_speed.error_kind is 'How it failed, or what is flawed in its text.';
comment on column request_speed.prompt_tokens is 'Tokens in the prompt.';
comment on column request_speed.completion_tokens is 'Tokens generated, reasoning included.';
comment on column request_speed.cached_tokens is 'Prompt tokens from the prompt cache.';
comment on column request_speed.chunk_count is 'Streamed events with text.';
comment on column request_speed.ttft_ms is 'Time to first token: sent to first text, reasoning or answer, in ms.';
comment on column request_speed.ttfa_ms is 'Time to first answer token: sent to first text of the answer, in ms.';
comment on column request_speed.ttfa_reason is 'Why there is no time to first answer token.';
comment on column request_speed.decode_tps is 'Decode speed: tokens after those that came first per second between first and last text.';
comment on column request_speed.decode_reason is 'Why there is no decode speed.';
comment on column request_speed.decode_tokens is 'Tokens after the first chunk, which that speed is of.';
comment on column request_speed.decode_256_tps is 'Decode speed over the first 256 tokens; of a shorter answer over all; NULL where they came in fewer than 32 chunks.';
comment on column request_speed.prefill_tps is 'Prefill speed: uncached prompt tokens per second of TTFT less the round trip.';
comment on column request_speed.prefill_reason is 'Why there is no prefill speed.';
comment on column request_speed.e2e_tps is 'End-to-end rate: tokens per second from sending to the end of the stream.';
comment on column request_speed.reported_decode_tps is 'Decode speed the server claims; never mixed with ours.';
comment on column request_speed.batch_ratio is 'Chunks with text for each token; below 0.8 the server bundles tokens.';
comment on column request_speed.ttfr_ms is 'Time to first response: sent to first event of any kind, in ms; diagnostic.';
comment on column request_speed.chars_per_s is 'Characters per second between first and last text: comparable between tokenizers, and where no tokens are counted.';
comment on column request_speed.reported_prompt_ms is 'Time the server says it spent on the prompt, ms.';
comment on column request_speed.client_cpu_us is 'CPU time of the client during the request, µs.';
comment on column request_speed.decode_count_error is 'Half-width of what the estimate of the tokens that came first may do to the decode speed, as a share of it.';
comment on column request_speed.ttft_reason is 'Why there is no time to first token.';
comment on column request_speed.note is 'What else is to be known of the stream: bursts, a count that was put right, an answer beyond its limit.';
