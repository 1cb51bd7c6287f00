create or replace view plan_runs as
with
placed as (
    select run_id, min(block) as block, min(order_code) as order_code from stg_requests group by run_id
),
codes as (
    select distinct plan_row, order_code from plan_order
),
matched as (
    select
        stg_plan.plan_row,
        stg_plan.kind = 'context' as is_ladder,
        stg_runs.*,
        run_speed.decode_tps, run_speed.decode_count, run_speed.decode_reason, run_speed.request_count, run_speed.failed_count,
        run_load.stop_reason,
        placed.block,
        placed.order_code is not distinct from codes.order_code as is_in_order,
        server is not distinct from 'lmstudio' as is_lmstudio,
        list_contains(string_split(coalesce(suite, ''), '+'), 'standard') as has_standard_suite,
        is_ladder or has_standard_suite as has_suite
    from stg_plan
    inner join codes using (plan_row)
    inner join stg_runs
        on stg_runs.model = stg_plan.model
        and stg_runs.runtime = stg_plan.runtime
        and lower(stg_runs.quantization) = lower(stg_plan.quantization)
        and (stg_runs.suite is not distinct from 'context') = (stg_plan.kind = 'context')
        and stg_runs.contributor is null
        and (stg_plan.kind = 'speed' or coalesce(stg_runs.context_requested = stg_plan.context_length, true))
    left join run_speed using (run_id)
    left join run_load using (run_id)
    left join placed using (run_id)
),
judged as (
    select
        *,
        case
            when not is_lmstudio then null
            when stop_reason is not null then stop_reason
            when run_state = 'complete' and has_suite and failed_count = request_count
                then concat_ws(': ', 'every request failed', decode_reason)
        end as failure,
        is_lmstudio and run_state = 'complete' and has_suite and failure is null as is_finished
    from matched
)
select
    plan_row,
    judged.run_id,
    machine,
    run_started_at,
    run_seconds,
    is_forced,
    context_effective is null as is_context_unknown,
    configuration_id,
    versions.is_current,
    is_lmstudio,
    is_finished,
    failure,
    case
        when not is_lmstudio then 'not through LM Studio but ' || coalesce(server, 'an unknown server')
        when failure is not null then failure
        when run_state != 'complete' then 'the run was interrupted'
        when is_ladder then null
        when not has_standard_suite then 'suite ' || coalesce(suite, 'unknown') || ', not standard'
        when decode_tps is null then 'no decode speed'
        when context_effective < 131072
            then format('context of {:,} tokens, below the plan''s 131,072', context_effective)
    end as exclusion,
    -- a short context is no reason to load the model again: it would be as short the next time
    case when is_finished and is_ladder then 1 when is_finished and is_in_order then block end as finished_block
from judged
left join (select run_id, is_current from run_versions) as versions on versions.run_id = judged.run_id;

comment on view plan_runs is 'One row per run of a cell of the plan: same model, runtime and quantization.';
comment on column plan_runs.plan_row is 'The cell: its place in the plan.';
comment on column plan_runs.run_id is 'The run.';
comment on column plan_runs.machine is 'Chip, GPU cores, memory.';
comment on column plan_runs.run_started_at is 'When it began, UTC.';
comment on column plan_runs.run_seconds is 'How long it took, in seconds.';
comment on column plan_runs.is_forced is 'Measured although a check of the machine had failed.';
comment on column plan_runs.is_context_unknown is 'The server did not tell its context length.';
comment on column plan_runs.configuration_id is 'Its configuration.';
comment on column plan_runs.is_current is 'Whether its engine is that of the newest run of its configuration with a speed.';
comment on column plan_runs.is_lmstudio is 'Measured through LM Studio, as the plan wants it.';
comment on column plan_runs.is_finished is 'A whole run of the standard suite through LM Studio, whether it counts or not.';
comment on column plan_runs.failure is 'Why LM Studio could not measure anything: the model did not load, or every request failed; NULL if it could.';
comment on column plan_runs.exclusion is 'Why the run does not make its cell measured; NULL if it does.';
comment on column plan_runs.finished_block is 'Block of the group''s order that the run is; NULL outside that order and for an unfinished one.';
