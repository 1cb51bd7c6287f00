-- Where the first 256 tokens of a longer answer end, by its chunks: one token each where there are about as many of them,
-- else by characters. What the first chunk held took no decode time.
create or replace view stg_early as
with
arrived as (
    select file, run_id, op_index, completion_tokens, unnest(chunks) as chunk, generate_subscripts(chunks, 1) as number
    from raw_details
    where op = 'request' and completion_tokens > 256
),
timed as (
    select *, sum(chunk.gap_us) over (partition by file, op_index order by number) as at_us from arrived
),
numbered as (
    select
        *,
        row_number() over stream as place,
        count(*) over (partition by file, op_index) as chunk_count,
        sum(chunk.chars) over stream as chars,
        sum(chunk.chars) over (partition by file, op_index) as all_chars
    from timed
    where chunk.chars > 0
    window stream as (partition by file, op_index order by number)
),
counted as (
    select
        *,
        completion_tokens * if(chunk_count >= 0.9 * completion_tokens, place / chunk_count, chars / all_chars) as tokens
    from numbered
)
select
    file, run_id, op_index,
    count(*) as early_chunk_count,
    max(tokens) - min(tokens) as early_tokens,
    (max(at_us) - min(at_us))::bigint as early_us
from counted
where tokens <= 256
group by file, run_id, op_index;

comment on view stg_early is 'One row per measured request of more than 256 tokens: how its first 256 came.';
comment on column stg_early.file is 'The run file.';
comment on column stg_early.run_id is 'The run.';
comment on column stg_early.op_index is 'Place among the run''s operations.';
comment on column stg_early.early_chunk_count is 'Chunks with text that hold them.';
comment on column stg_early.early_tokens is 'Tokens in them after the first chunk, at most 256.';
comment on column stg_early.early_us is 'Time from the first of these chunks to the last, µs.';
