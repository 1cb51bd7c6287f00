-- Gaps are those between chunks with text, whatever came in between.
create or replace view stg_streams as
with
arrived as (
    select file, run_id, op_index, unnest(chunks) as chunk, generate_subscripts(chunks, 1) as number
    from raw_details
    where op = 'request'
),
timed as (
    select *, sum(chunk.gap_us) over (partition by file, op_index order by number) as at_us from arrived
),
gaps as (
    select
        file,
        op_index,
        (at_us - lag(at_us) over (partition by file, op_index order by number))::double as gap_us
    from timed
    where chunk.chars > 0
),
summed as (
    select
        file,
        op_index,
        list_transform(quantile_cont(gap_us, [0.5, 0.95, 0.99]), lambda gap: gap / 1000) as gap_ms
    from gaps
    where gap_us is not null
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
    list_max(list_transform(memory, lambda sample: sample.system_used_bytes)) as system_bytes
from of_text
left join summed using (file, op_index);

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
