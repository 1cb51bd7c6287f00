-- The server's count beside the stream: how many tokens its chunks may have held, and how many came first.
create or replace view request_counts as
with
told as (
    select
        run_id, op_index, finish_reason, max_tokens, reported_decode_tps, reasoning_tokens,
        streams.* exclude (file, run_id, op_index),
        nullif(completion_tokens, 0) as told_tokens,
        chunk_count - split_count as event_count,
        -- the end is a token without text, and so are the marks around a thought; of a few tokens nothing is judged
        if(told_tokens < 32, 8, 1) + if(thought_chars > 0, 2, 0) as unseen_tokens,
        if(finish_reason = 'length', 0, 1) + if(thought_chars > 0, 2, 0) as unbundled_tokens,
        coalesce(other_from_us * 1000, first_text_ns) as text_from_ns,
        coalesce(other_to_us * 1000, last_text_ns) as text_to_ns
    from raw_facts
    left join stg_streams as streams using (run_id, op_index)
    where op in ('request', 'context')
),
counted as (
    select
        *,
        -- LM Studio 0.4.22 counts one less where the limit ends an answer; one token a chunk shows it
        if(
            finish_reason = 'length' and event_count = told_tokens + 1 and event_count = max_tokens, event_count, told_tokens
        ) as tokens
    from told
),
seen as (
    select
        *,
        coalesce(
            reasoning_tokens between 1 and tokens - event_count and coalesce(thought_chars, 0) = 0
            and tokens > 1.02 * explained_chunks + unseen_tokens,
            false
        ) as is_thought_hidden
    from counted
),
shared as (
    select
        *,
        tokens - if(is_thought_hidden, reasoning_tokens, 0) as seen_tokens,
        seen_tokens <= 1.02 * explained_chunks + unseen_tokens as is_explained,
        greatest(1, ceil((seen_tokens - unbundled_tokens) / event_count)) as per_chunk,
        per_chunk * (event_count - 2) + 2 <= seen_tokens as is_regular,
        -- chunks of several tokens each time others: they take longer the more text they bring
        coalesce(gap_spread >= 0.25 and gap_chars_corr > 0, false) as is_changing,
        seen_tokens / event_count as mean_per_chunk,
        first_arrival_chars / first_arrival_chunks / chunk_chars as first_share,
        greatest(chunk_chars_sd / chunk_chars, 0.05) as chars_cv
    from seen
),
first_arrival as (
    select
        *,
        (first_share - 1) / chars_cv as as_others,
        (first_share - 1 / per_chunk) / (chars_cv / sqrt(per_chunk)) as as_one,
        case
            when event_count >= 0.9 * seen_tokens then 'one a chunk'
            when is_changing and not is_explained then 'times and characters'
            when is_explained then 'mean'
            when not is_regular or first_share > 2.5 then 'characters'
            -- speculation sends the first token alone; a hundred to one that it did not
            when as_others * as_others - as_one * as_one + ln(per_chunk) > 2 * ln(100) then 'first alone'
            else 'regular'
        end as first_by,
        -- how far characters tell tokens: what of their variation is that of the times
        least(1, gap_spread * gap_spread / (chars_cv * chars_cv)) as told_by_chars,
        case first_by
            when 'regular' then per_chunk * first_arrival_chunks
            when 'mean' then mean_per_chunk * first_arrival_chunks
            when 'times and characters'
                then first_arrival_chunks * mean_per_chunk * (1 + told_by_chars * (first_share - 1))
            when 'characters' then seen_tokens * first_arrival_chars / char_count
            else first_arrival_chunks
        end as estimated_tokens,
        -- each later chunk holds one at least
        least(
            greatest(first_arrival_chunks, estimated_tokens), seen_tokens - (chunk_count - first_arrival_chunks)
        ) as first_tokens,
        chunk_count >= 1.5 * arrival_count as is_in_bursts,
        arrival_count = 1 or text_to_ns - text_from_ns <= 250e3 * (chunk_count - 1) as is_at_once
    from shared
)
select
    run_id, op_index, max_tokens, reported_decode_tps, told_tokens, tokens, seen_tokens, event_count,
    is_thought_hidden, is_explained, is_regular, is_changing, is_in_bursts, is_at_once, text_from_ns, text_to_ns,
    first_by, first_tokens,
    case first_by
        when 'one a chunk' then 0
        when 'mean' then mean_per_chunk
        when 'times and characters' then greatest(
            0.98 * sqrt(first_tokens),  -- lengths of single tokens vary by half
            1.96 * first_arrival_chunks * mean_per_chunk * gap_spread * sqrt(1 - told_by_chars)
        )
        when 'characters' then greatest(0.5, 1.96 * chars_cv * sqrt(mean_per_chunk * first_tokens))
        when 'first alone' then 0  -- at a hundred to one, 95 % leave nothing
        else greatest(
            if(abs(as_one) < 2, per_chunk - 1, 0.5),
            (floor((seen_tokens - 2) / nullif(event_count - 2, 0)) - per_chunk) / 2
        )
    end
    + if(is_in_bursts, 1, 0) as first_tokens_error,
    per_s(seen_tokens - first_tokens, text_to_ns - text_from_ns) as rate_tps
from first_arrival;

comment on view request_counts is 'One row per request, of the suite or of a ladder: tokens counted, and what its stream can have held of them.';
comment on column request_counts.run_id is 'The run.';
comment on column request_counts.op_index is 'Place among the run''s operations.';
comment on column request_counts.max_tokens is 'Token limit sent.';
comment on column request_counts.reported_decode_tps is 'Decode speed the server claims.';
comment on column request_counts.told_tokens is 'Tokens generated, by the server; NULL where it says 0.';
comment on column request_counts.tokens is 'The same, and one more where the stream shows that one is missing at the limit.';
comment on column request_counts.seen_tokens is 'Of these, without reasoning that the server counted and did not send.';
comment on column request_counts.event_count is 'Streamed events with text.';
comment on column request_counts.is_thought_hidden is 'Reasoning was counted, none came, and the chunks are too few for it.';
comment on column request_counts.is_explained is 'With a token a chunk, and what longer gaps may have held back, the tokens are all there.';
comment on column request_counts.is_regular is 'Some whole number of tokens a chunk, of the last fewer, gives the count.';
comment on column request_counts.is_changing is 'Chunks take different times, the longer the more text they bring: each holds other numbers of tokens.';
comment on column request_counts.is_in_bursts is 'Chunks came several at a time.';
comment on column request_counts.is_at_once is 'All came at one time, or faster than any model writes.';
comment on column request_counts.text_from_ns is 'Sent to first text of any kind, ns.';
comment on column request_counts.text_to_ns is 'Sent to last text of any kind, ns.';
comment on column request_counts.first_by is 'By what the tokens that came first are known: one a chunk, mean, regular, first alone, characters, times and characters.';
comment on column request_counts.first_tokens is 'Tokens that came at the first moment, and so took no decode time.';
comment on column request_counts.first_tokens_error is 'Half-width of that estimate, tokens.';
comment on column request_counts.rate_tps is 'Tokens after those ÷ the time from first to last text, tokens/s, whatever speaks against it.';
