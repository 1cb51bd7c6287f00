create or replace view run_load as
select
    stg_runs.run_id,
    if(raw_operations.error_kind is null, elapsed_ns / 1e9, null) as load_s,
    reported_load_s,
    raw_operations.error_kind as load_error_kind,
    raw_operations.error_detail as load_error,
    case
        when op is null then 'loaded before'
        when raw_operations.error_kind is not null then 'the model did not load'
    end as load_reason
from stg_runs
left join raw_operations on raw_operations.run_id = stg_runs.run_id and op = 'load';

comment on view run_load is 'One row per run: how long loading took, or why that is not known.';
comment on column run_load.run_id is 'The run.';
comment on column run_load.load_s is 'Asked to load until ready, by our clock, in seconds; for the embedded engine the start of its process is included.';
comment on column run_load.reported_load_s is 'Load time the server claims, in seconds.';
comment on column run_load.load_error_kind is 'How loading failed.';
comment on column run_load.load_error is 'What was said about the failure.';
comment on column run_load.load_reason is 'Why there is no usable load time.';
