-- The longest request of each run, of the latest three runs of a configuration. A chart needs some 400 marks of a stream:
-- of a longer one the chunks that stand at even steps, the first and the last.
create or replace view run_arrival as
with
chunks as (
    select
        streams.*,
        unnest(details.chunks) as chunk,
        generate_subscripts(details.chunks, 1) as number
    from shown_streams as streams
    inner join raw_details as details using (run_id, op_index)
    where place <= 3
),
arrived as (
    select
        *,
        sum(chunk.gap_us) over (partition by run_id order by number) / 1e6 as seconds,
        sum(chunk.chars) over (partition by run_id order by number)::bigint as characters
    from chunks
),
counted as (
    select
        *,
        row_number() over (partition by run_id order by number) as chunk_number,
        count(*) over (partition by run_id) as chunk_count
    from arrived
    where chunk.chars > 0
)
select
    configuration_id, label, machine, run_id, run_started_at,
    format('{} UTC, {}', strftime(run_started_at, '%Y-%m-%d %H:%M'), prompt_id) as stream,
    prompt_id, repeat, chunk.kind as kind, seconds, characters, chunk_number, chunk_count
from counted
where chunk_number in (1, chunk_count)
    or floor(chunk_number * 398 / chunk_count) > floor((chunk_number - 1) * 398 / chunk_count)
order by run_started_at desc, run_id, chunk_number;

comment on view run_arrival is 'One row per chunk of text of the longest request of each of a configuration''s latest three runs; of long streams some 400 chunks.';
comment on column run_arrival.configuration_id is 'The configuration.';
comment on column run_arrival.label is 'Model, quantization, engine.';
comment on column run_arrival.machine is 'Chip, GPU cores, memory.';
comment on column run_arrival.run_id is 'The run.';
comment on column run_arrival.run_started_at is 'When it began, UTC.';
comment on column run_arrival.stream is 'When the run began, and the prompt: names the request.';
comment on column run_arrival.prompt_id is 'The prompt.';
comment on column run_arrival.repeat is 'Which repeat of the prompt, from 1.';
comment on column run_arrival.kind is 'reasoning or answer.';
comment on column run_arrival.seconds is 'Since the request was sent.';
comment on column run_arrival.characters is 'Characters received until then.';
comment on column run_arrival.chunk_number is 'Place among the chunks with text, from 1.';
comment on column run_arrival.chunk_count is 'Chunks with text in all.';
