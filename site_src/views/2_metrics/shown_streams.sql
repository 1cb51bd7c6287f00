create or replace view shown_streams as
with
streams as (
    select
        stg_runs.run_id, stg_runs.configuration_id, stg_runs.label, stg_runs.machine, stg_runs.run_started_at,
        requests.op_index, requests.prompt_id, requests.repeat, requests.completion_tokens
    from stg_requests as requests
    inner join stg_runs using (run_id)
    where not is_failure(requests.error_kind) and requests.chunk_count > 1
    qualify row_number() over (
        partition by stg_runs.run_id order by requests.completion_tokens desc nulls last, requests.op_index
    ) = 1
)
select
    * exclude (completion_tokens),
    row_number() over (partition by configuration_id order by run_started_at desc, run_id) as place,
    row_number() over (partition by machine order by run_started_at desc, run_id) = 1 as is_latest_of_machine
from streams
qualify place <= 3 or is_latest_of_machine;

comment on view shown_streams is 'One row per stream that is drawn: the longest of a run, of the latest three runs of a configuration.';
comment on column shown_streams.run_id is 'The run.';
comment on column shown_streams.configuration_id is 'Its configuration.';
comment on column shown_streams.label is 'Model, quantization, engine.';
comment on column shown_streams.machine is 'Chip, GPU cores, memory.';
comment on column shown_streams.run_started_at is 'When the run began, UTC.';
comment on column shown_streams.op_index is 'Place of the request among the run''s operations.';
comment on column shown_streams.prompt_id is 'Its prompt.';
comment on column shown_streams.repeat is 'Which repeat of it.';
comment on column shown_streams.place is 'Place of the run in its configuration, the latest first.';
comment on column shown_streams.is_latest_of_machine is 'Whether the run is the latest on its machine.';
