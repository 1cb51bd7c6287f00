-- What was counted must have been seen: the server's count beside the stream's chunks, text and times. A token takes
-- time wherever it was made, so tokens that no chunk, no gap and no text shows were made when no text came: no rate holds.
create or replace view request_evidence as
with
judged as (
    select
        counts.*,
        streams.* exclude (file, run_id, op_index),
        case
            when tokens is null then 'the server sent no token count'
            when seen_tokens < event_count then 'fewer tokens were counted than chunks came'
            when arrival_count >= 8 and twin_count >= 0.9 * arrival_count then 'each text came twice, as of two choices'
            when seen_tokens > text_bytes + 8 or (is_thought_hidden and text_bytes > 7 * seen_tokens)
                then 'more tokens were counted than came as text'
            when is_explained or abs(reported_decode_tps / rate_tps - 1) <= 0.05 then null
            -- of a stream whose text is not stored only chunks speak, and a token is a character at least
            when word_count = 0 and text_bytes >= seen_tokens and (is_regular or is_changing) then null
            -- of any text some 4.5 bytes are a token, 3.3 of code; twice as many tokens as came leave half of that
            when text_bytes >= 2.8 * seen_tokens and (is_regular or is_changing) then null
            -- drafts of uneven length, a chunk a step: more words than chunks, and of usual length
            when word_count > 1.1 * event_count and text_bytes >= 3.6 * seen_tokens then null
            when event_count > 0 then 'more tokens were counted than came as text'
        end as count_reason
    from request_counts as counts
    left join stg_streams as streams using (run_id, op_index)
)
select
    run_id,
    op_index,
    tokens as completion_tokens,
    count_reason,
    text_from_ns,
    text_to_ns,
    first_tokens,
    rate_tps,
    first_tokens_error / nullif(seen_tokens - first_tokens, 0) as decode_count_error,
    is_in_bursts,
    case
        when count_reason is not null then count_reason
        when is_at_once or rate_tps is null then 'all text arrived at once'
        when chunk_count >= 8 and arrival_count < 8 then 'the text came in bursts'
        when is_in_bursts and (
            abs(reported_decode_tps / rate_tps - 1) > 0.05
            -- the last burst waited for a clock, not for its tokens
            or abs(rate_tps / per_s(
                seen_tokens - first_tokens - last_arrival_chunks * seen_tokens / chunk_count,
                text_to_ns - text_from_ns - last_arrival_us * 1000
            ) - 1) > 0.02
        ) then 'the text came in bursts'
    end as rate_reason,
    case
        when is_thought_hidden then 'the reasoning was counted and did not come'
        when count_reason = 'more tokens were counted than came as text' then count_reason
        when is_at_once and tokens > 8 then 'all text arrived at once'
        when is_in_bursts and first_arrival_chunks > 1 then 'the first text came in a burst'
        when (first_arrival_chunks - 1) * (text_to_ns - text_from_ns) / nullif(chunk_count - first_arrival_chunks, 0)
            > 0.03 * text_from_ns then 'the first text came in a burst'
    end as first_text_reason,
    nullif(concat_ws(
        '; ',
        if(is_in_bursts, 'the text came in bursts', null),
        if(tokens > told_tokens, 'one token more came than was counted', null),
        if(tokens > max_tokens, 'more tokens were counted than were allowed', null)
    ), '') as note
from judged;

comment on view request_evidence is 'One row per request, of the suite or of a ladder: what its stream shows of its tokens.';
comment on column request_evidence.run_id is 'The run.';
comment on column request_evidence.op_index is 'Place among the run''s operations.';
comment on column request_evidence.completion_tokens is 'Tokens generated: as counted by the server, and one more where the stream shows that one is missing at the limit; NULL where 0 were counted.';
comment on column request_evidence.count_reason is 'Why that count is not believed; NULL if the stream bears it out.';
comment on column request_evidence.text_from_ns is 'Sent to first text of any kind, ns.';
comment on column request_evidence.text_to_ns is 'Sent to last text of any kind, ns.';
comment on column request_evidence.first_tokens is 'Tokens that came at the first moment, and so took no decode time: by the chunks, else by characters.';
comment on column request_evidence.rate_tps is 'Tokens after those ÷ the time from first to last text, tokens/s, whatever speaks against it.';
comment on column request_evidence.decode_count_error is 'Half-width of what the estimate of those tokens may do to the rate, as a share of it.';
comment on column request_evidence.is_in_bursts is 'Chunks came several at a time.';
comment on column request_evidence.rate_reason is 'Why that rate does not hold; NULL if it does.';
comment on column request_evidence.first_text_reason is 'Why the first text was not the first token; NULL if it was.';
comment on column request_evidence.note is 'What else is to be known of the stream.';
