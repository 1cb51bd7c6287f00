create or replace view token_arrival as
with
chunks as (
    select
        streams.*,
        unnest(details.chunks) as chunk,
        generate_subscripts(details.chunks, 1) as number
    from shown_streams as streams
    inner join raw_details as details using (run_id, op_index)
    where is_latest_of_machine
),
arrived as (
    select
        machine, label, run_id, prompt_id, repeat, number, chunk.kind,
        sum(chunk.gap_us) over so_far / 1e6 as seconds,
        sum(chunk.chars) over so_far::bigint as characters,
        chunk.chars
    from chunks
    window so_far as (partition by run_id order by number)
)
select
    machine, label, run_id, prompt_id, repeat, kind, seconds, characters,
    row_number() over (partition by run_id order by number) as chunk_number
from arrived
where chars > 0
window stream as (partition by run_id)
-- a chart draws a few thousand marks at most; of a longer stream every tenth chunk still shows its course
qualify count(*) over stream <= 3000 or chunk_number % 10 = 1 or chunk_number = count(*) over stream
order by machine, run_id, chunk_number;

comment on view token_arrival is 'One row per machine and chunk with text of one request: the longest of its latest run.';
comment on column token_arrival.machine is 'Chip, GPU cores, memory.';
comment on column token_arrival.label is 'Model, quantization, engine.';
comment on column token_arrival.run_id is 'The run.';
comment on column token_arrival.prompt_id is 'The prompt.';
comment on column token_arrival.repeat is 'Which repeat of it.';
comment on column token_arrival.kind is 'reasoning or answer.';
comment on column token_arrival.seconds is 'When the chunk arrived, in seconds since the request was sent.';
comment on column token_arrival.characters is 'Characters that had arrived by then.';
comment on column token_arrival.chunk_number is 'Number of the chunk; a chunk is often, not always, one token.';
