create or replace view stg_streams as
with
chunks_of_text as materialized (select * from stg_chunks),
summed as (
    select
        file,
        op_index,
        if(
            any_value(op) = 'request', list_transform(quantile_cont(gap_us, [0.5, 0.95, 0.99]), lambda gap: gap / 1000), null
        ) as gap_ms,
        if(arg_min(kind, number) = 'other', min(at_us)::bigint, null) as other_from_us,
        if(arg_max(kind, number) = 'other', max(at_us)::bigint, null) as other_to_us,
        count(*) filter (gap_us = 0 and is_other_kind) as split_count,
        coalesce(avg(chars) filter (not is_first and not is_last), avg(chars)) as chunk_chars,
        round(stddev_samp(chars) filter (not is_first and not is_last), 3) as chunk_chars_sd
    from chunks_of_text
    group by file, op_index
),
arrivals as (
    select
        file, op_index, arrival,
        count(*) as chunk_count,
        sum(chars)::double as chars,
        count(*) = 2 and min(chars) = max(chars) as is_twin,
        min(at_us) as at_us
    from chunks_of_text
    group by file, op_index, arrival
),
spaced as (
    select *, (at_us - lag(at_us) over (partition by file, op_index order by arrival))::double as gap_us from arrivals
),
paced as (
    -- what a chunk takes: where many hold one token, a quarter of all gaps is no longer than that
    select file, op_index, quantile_cont(gap_us / chunk_count, 0.25) as quick_us from spaced group by file, op_index
),
judged as (
    select
        *,
        coalesce(gap_us > 1.5 * quick_us * chunk_count, false) as is_long,
        gap_us > 4.5 * quick_us * chunk_count as is_pause  -- no chunk holds so many times the tokens of others
    from spaced
    inner join paced using (file, op_index)
),
steady as (
    select
        file, op_index,
        sum(gap_us) filter (not is_long) / sum(chunk_count) filter (gap_us is not null and not is_long) as chunk_us,
        count(*) as arrival_count,
        arg_min(chunk_count, arrival) as first_arrival_chunks,
        arg_min(chars, arrival)::bigint as first_arrival_chars,
        arg_max(chunk_count, arrival) as last_arrival_chunks,
        arg_max(gap_us, arrival)::bigint as last_arrival_us,
        count(*) filter (is_twin) as twin_count,
        round(finite(corr(gap_us, chars) filter (not is_pause)), 3) as gap_chars_corr,
        (quantile_cont(gap_us / chunk_count, 0.75) - any_value(quick_us))
        / nullif(1.349 * median(gap_us / chunk_count), 0) as gap_spread
    from judged
    group by file, op_index
),
explained as (
    select
        file, op_index,
        -- a longer gap may have held some tokens back, such as the bytes of one character, but no thought
        sum(if(is_long, least(gap_us / chunk_us, chunk_count + 4), chunk_count)) as explained_chunks
    from judged
    inner join steady using (file, op_index)
    group by file, op_index
),
of_text as (
    select *, list_filter(chunks, lambda chunk: chunk.chars > 0) as text_chunks
    from raw_details
    where op in ('request', 'context')
)
select
    of_text.file,
    of_text.run_id,
    of_text.op_index,
    len(text_chunks) as chunk_count,
    text_chunks[1].chars as first_chars,
    list_sum([chunk.chars for chunk in text_chunks])::bigint as char_count,
    gap_ms,
    list_max(list_transform(memory, lambda sample: sample.pressure_level)) as pressure_level,
    list_max(list_transform(memory, lambda sample: sample.thermal_level)) as thermal_level,
    list_max(list_transform(memory, lambda sample: sample.engine_pss_bytes)) as pss_bytes,
    list_max(list_transform(memory, lambda sample: sample.system_used_bytes)) as system_bytes,
    other_from_us,
    other_to_us,
    split_count,
    chunk_chars,
    chunk_chars_sd,
    arrival_count,
    first_arrival_chunks,
    first_arrival_chars,
    last_arrival_chunks,
    last_arrival_us,
    twin_count,
    chunk_us,
    explained_chunks,
    gap_chars_corr,
    gap_spread,
    list_sum([chunk.chars for chunk in text_chunks if chunk.kind != 'answer'])::bigint as thought_chars,
    greatest(
        char_count,
        coalesce(strlen(output_text), 0) + coalesce(strlen(reasoning_text), 0)
        + coalesce(list_sum([chunk.chars for chunk in text_chunks if chunk.kind = 'other']), 0)
    )::bigint as text_bytes,
    len(regexp_extract_all(concat_ws(' ', reasoning_text, output_text), '\S+')) as word_count
from of_text
left join summed using (file, op_index)
left join steady using (file, op_index)
left join explained using (file, op_index);

comment on view stg_streams is 'One row per request, of the suite or of a ladder: what its chunks and memory samples come to.';
comment on column stg_streams.file is 'The run file.';
comment on column stg_streams.run_id is 'The run.';
comment on column stg_streams.op_index is 'Place among the run''s operations.';
comment on column stg_streams.chunk_count is 'Streamed events with text.';
comment on column stg_streams.first_chars is 'Characters in the first of them.';
comment on column stg_streams.char_count is 'Characters in all of them.';
comment on column stg_streams.gap_ms is 'Time between them, ms: median, 95th and 99th percentile; of the suite''s requests only.';
comment on column stg_streams.pressure_level is 'Highest memory pressure while it ran: 1 normal, 2 warn, 4 critical.';
comment on column stg_streams.thermal_level is 'Highest thermal pressure while it ran: 0 nominal to 4.';
comment on column stg_streams.pss_bytes is 'Highest PSS of the engine meanwhile (Linux).';
comment on column stg_streams.system_bytes is 'Highest memory in use on the machine meanwhile.';
comment on column stg_streams.other_from_us is 'Sent to first text, µs, where that is neither reasoning nor answer.';
comment on column stg_streams.other_to_us is 'Sent to last text, µs, where that is neither reasoning nor answer.';
comment on column stg_streams.split_count is 'Chunks that were the second half of an event with text of two kinds.';
comment on column stg_streams.chunk_chars is 'Mean characters of the chunks between the first and the last.';
comment on column stg_streams.chunk_chars_sd is 'Their standard deviation.';
comment on column stg_streams.arrival_count is 'Moments at which text came; chunks of one read share one.';
comment on column stg_streams.first_arrival_chunks is 'Chunks that came at the first of them.';
comment on column stg_streams.first_arrival_chars is 'Characters that came then.';
comment on column stg_streams.last_arrival_chunks is 'Chunks that came at the last of them.';
comment on column stg_streams.last_arrival_us is 'Time before that, µs.';
comment on column stg_streams.twin_count is 'Moments at which two chunks of the same length came.';
comment on column stg_streams.chunk_us is 'What a chunk took, gaps longer than usual left out, µs.';
comment on column stg_streams.explained_chunks is 'Chunks that came, and those that longer gaps may have held back, at most four each.';
comment on column stg_streams.gap_chars_corr is 'How the time before an arrival goes with its characters: correlation, -1 to 1; without pauses.';
comment on column stg_streams.gap_spread is 'How the time that a chunk took varies: width of its middle half over that of a normal distribution whose CV is 1.';
comment on column stg_streams.thought_chars is 'Characters of text that is no answer: reasoning, calls of tools and what is not known.';
comment on column stg_streams.text_bytes is 'Bytes of all text, at least a byte a character.';
comment on column stg_streams.word_count is 'Words of answer and reasoning, as blanks part them.';
