create or replace view run_load as
with
loads as (
    select run_id, elapsed_ns, reported_load_s, load_is_repeat, error_kind, slept_ms, stood_ms from raw_facts where op = 'load'
),
stops as (
    select
        run_id,
        error_kind,
        concat_ws(
            ': ', if(op = 'load', 'the model did not load', 'not measured'), error_kind, error_detail
        ) as stop_reason
    from raw_facts
    where op in ('load', 'probe') and error_kind is not null
)
select
    stg_runs.run_id,
    if(
        loads.error_kind is null and loads.elapsed_ns > 0 and not has_slept(loads.slept_ms)
        and not stood_still(loads.stood_ms), loads.elapsed_ns / 1e9, null
    ) as load_s,
    if(load_s is null or loads.load_is_repeat is null, null, if(loads.load_is_repeat, 'warm', 'cold')) as load_kind,
    loads.reported_load_s,
    stops.error_kind as stop_kind,
    stops.stop_reason,
    case
        when loads.run_id is null then 'loaded before'
        when loads.error_kind is not null then 'the model did not load'
        when has_slept(loads.slept_ms) then 'the machine slept meanwhile'
        when stood_still(loads.stood_ms) then 'the process stood still meanwhile'
    end as load_reason
from stg_runs
left join loads using (run_id)
left join stops using (run_id);

comment on view run_load is 'One row per run: how long loading took, or why that is not known; and what stopped the run before measuring.';
comment on column run_load.run_id is 'The run.';
comment on column run_load.load_s is 'Asked to load until ready, by our clock, in seconds; for the embedded engine the start of its process is included.';
comment on column run_load.load_kind is 'warm: the model had been loaded since the machine was started, so its file was probably in the file cache; cold: not that this collector knows.';
comment on column run_load.reported_load_s is 'Load time the server claims, in seconds.';
comment on column run_load.stop_kind is 'Why nothing was measured: how loading failed, or unfit; NULL if it was.';
comment on column run_load.stop_reason is 'The same in words.';
comment on column run_load.load_reason is 'Why there is no load time.';
