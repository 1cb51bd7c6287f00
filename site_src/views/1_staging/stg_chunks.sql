-- Gaps are those between chunks with text, whatever came in between. Chunks that came in one read are one arrival; the
-- pieces of a read are stamped some µs apart, so that a gap is none below 5 % of the stream's mean, 250 µs to 1 ms.
create or replace view stg_chunks as
with
streamed as (
    select file, op_index, op, unnest(chunks) as chunk, generate_subscripts(chunks, 1) as number
    from raw_details
    where op in ('request', 'context')
),
timed as (
    select *, (sum(chunk.gap_us) over (partition by file, op_index order by number))::bigint as at_us from streamed
),
gaps as (
    select
        file, op_index, op, number, at_us, chunk.kind as kind, chunk.chars as chars,
        (at_us - lag(at_us) over stream)::double as gap_us,
        chunk.kind != lag(chunk.kind) over stream as is_other_kind,
        lag(number) over stream is null as is_first,
        lead(number) over stream is null as is_last
    from timed
    where chunk.chars > 0
    window stream as (partition by file, op_index order by number)
),
counted as (
    select file, op_index, least(1000, greatest(250, 0.05 * avg(gap_us))) as least_us from gaps group by file, op_index
)
select
    gaps.*,
    count(*) filter (gap_us > least_us) over (partition by file, op_index order by number) as arrival
from gaps
inner join counted using (file, op_index);

comment on view stg_chunks is 'One row per chunk with text, of the requests whose chunks are at hand: those of runs that pages show.';
comment on column stg_chunks.file is 'The run file.';
comment on column stg_chunks.op_index is 'Place of the request among the run''s operations.';
comment on column stg_chunks.op is 'request, or context: of a ladder.';
comment on column stg_chunks.number is 'Place among the request''s events.';
comment on column stg_chunks.at_us is 'When it came, µs since sending.';
comment on column stg_chunks.kind is 'reasoning, answer or other.';
comment on column stg_chunks.chars is 'Characters in it.';
comment on column stg_chunks.gap_us is 'Time since the one before, µs.';
comment on column stg_chunks.is_other_kind is 'Whether it is of another kind than the one before.';
comment on column stg_chunks.is_first is 'Whether it is the first.';
comment on column stg_chunks.is_last is 'Whether it is the last.';
comment on column stg_chunks.arrival is 'Number of the moment at which it came, from 0; chunks of one read share one.';
