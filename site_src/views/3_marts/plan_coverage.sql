-- What is measured, what comes next and why. Measured is a cell with a run that counts (`plan_runs.exclusion`), inside or
-- outside the plan's order; blocks are only those inside it. A cell whose latest attempt failed is not tried again.
create or replace view plan_coverage as
with
attempts as materialized (
    select * from plan_runs
),
machines as (
    select machine from stg_runs where server = 'lmstudio'
    union
    select machine from stg_here
),
cells as (
    select machines.machine, stg_plan.*
    from stg_plan
    left join machines on true
),
counted as (
    select
        machine,
        plan_row,
        count(*) as run_count,
        geomean(decode_tps) as decode_tps,
        avg(decode_center) as center,
        pooled_margin(decode_center, decode_se, decode_df) as margin,
        sum(decode_count)::bigint as decode_count,
        count(*) filter (is_context_unknown) as context_unknown_count,
        count(*) filter (is_forced) as forced_count
    from attempts
    where exclusion is null
    group by machine, plan_row
),
attempted as (
    select
        machine,
        plan_row,
        max(run_started_at) filter (is_lmstudio) as latest_run_at,
        median(run_seconds) filter (is_finished) / 60 as estimated_minutes,
        arg_max(coalesce(failure, ''), run_started_at) filter (is_lmstudio) as latest_failure,
        count(*) filter (exclusion is not null and failure is null) as excluded_count,
        string_agg(distinct exclusion, ', ' order by exclusion) filter (failure is null) as exclusions
    from attempts
    group by machine, plan_row
),
finished as (
    select distinct machine, plan_row, finished_block as block from attempts where finished_block is not null
),
blocks as (
    select
        cells.machine,
        cells.plan_row,
        group_rank,
        order_code,
        count(*) as planned_block_count,
        count(finished.block) as block_count,
        min(plan_order.block) filter (finished.block is null) as next_block
    from cells
    inner join plan_order using (plan_row)
    left join finished
        on finished.machine = cells.machine
        and finished.plan_row = cells.plan_row
        and finished.block = plan_order.block
    group by all
),
judged as (
    select
        cells.*,
        blocks.* exclude (machine, plan_row),
        coalesce(run_count, 0) as run_count,
        latest_run_at,
        nullif(latest_failure, '') as latest_failure,
        decode_tps,
        exp(center - margin) as decode_tps_low,
        exp(center + margin) as decode_tps_high,
        decode_count,
        estimated_minutes,
        context_unknown_count,
        forced_count,
        excluded_count,
        exclusions,
        case
            when run_count > 0 then 'measured'
            when latest_failure != '' then 'failed'
            when status = 'archived' then 'pending, with reference'
            when status = 'to-find' then 'to find'
            else status
        end as state
    from cells
    inner join blocks on blocks.machine is not distinct from cells.machine and blocks.plan_row = cells.plan_row
    left join counted on counted.machine = cells.machine and counted.plan_row = cells.plan_row
    left join attempted on attempted.machine = cells.machine and attempted.plan_row = cells.plan_row
),
due as (
    select
        *,
        next_block is not null and latest_failure is null and state not in ('failed', 'to find', 'unavailable') as is_due
    from judged
)
select
    machine,
    model,
    variant,
    runtime,
    format,
    quantization,
    bits,
    priority,
    state,
    run_count,
    block_count,
    planned_block_count,
    latest_run_at,
    decode_tps,
    decode_tps_low,
    decode_tps_high,
    coalesce(decode_count, 0) as request_count,
    if(is_due, row_number() over (partition by machine, is_due order by group_rank, next_block), null) as next_rank,
    next_block as position_in_order,
    order_code,
    size_gb as download_gb,
    memory_gb as planned_memory_gb,
    estimated_minutes,
    if(estimated_minutes is null, 'no finished run of this cell on this machine', null) as estimate_reason,
    compare_to,
    source,
    nullif(concat_ws(
        '; ',
        latest_failure,
        if(state = 'running', 'by the plan''s word only', null),
        if(run_count = 0 and latest_failure is null, note, null),
        if(excluded_count > 0, format(
            '{} not count: {}', if(excluded_count = 1, '1 run does', excluded_count || ' runs do'), exclusions
        ), null),
        if(context_unknown_count > 0, context_unknown_count || ' of ' || run_count || ' runs with unknown context', null),
        if(forced_count > 0, forced_count || ' of ' || run_count || ' runs although a check had failed', null),
        if(model not in (select stg_models.model from stg_models), 'models.csv does not know this model', null)
    ), '') as reason
from due
order by machine, plan_row;

comment on view plan_coverage is 'One row per cell of plan.csv and machine with LM Studio runs; while nothing is measured anywhere, one per cell with machine NULL.';
comment on column plan_coverage.machine is 'Chip, GPU cores, memory; NULL where nothing is measured.';
comment on column plan_coverage.model is 'The model.';
comment on column plan_coverage.variant is 'What the plan calls the cell.';
comment on column plan_coverage.runtime is 'Engine: mlx or llama.cpp.';
comment on column plan_coverage.format is 'gguf or mlx.';
comment on column plan_coverage.quantization is 'As LM Studio names it.';
comment on column plan_coverage.bits is 'Nominal bits per weight.';
comment on column plan_coverage.priority is 'Priority in the plan, 1 first.';
comment on column plan_coverage.state is 'measured; failed; pending; pending, with reference (a figure from another harness exists); running (only by the plan''s word); to find; unavailable.';
comment on column plan_coverage.run_count is 'Runs that count: through LM Studio, complete, suite standard, a decode speed, context of 131,072 or not told.';
comment on column plan_coverage.block_count is 'Blocks of the plan''s order that are finished.';
comment on column plan_coverage.planned_block_count is 'Blocks the cell has in that order.';
comment on column plan_coverage.latest_run_at is 'Beginning of its latest LM Studio run, whether it counts or not, UTC.';
comment on column plan_coverage.decode_tps is 'Decode speed, tokens/s: geometric mean over the runs that count.';
comment on column plan_coverage.decode_tps_low is 'Lower end of its 95 % interval.';
comment on column plan_coverage.decode_tps_high is 'Upper end of its 95 % interval.';
comment on column plan_coverage.request_count is 'Requests behind it.';
comment on column plan_coverage.next_rank is 'When its turn comes, from 1; NULL for a cell that is done, failed, not found or unavailable.';
comment on column plan_coverage.position_in_order is 'Its next block: place in its group''s order, from 1; NULL when all are finished.';
comment on column plan_coverage.order_code is 'Order of blocks of its group, the cells of one model and bit width, such as ABBA.';
comment on column plan_coverage.download_gb is 'Size of the download by the plan, GB.';
comment on column plan_coverage.planned_memory_gb is 'Memory needed by the plan''s estimate, GB.';
comment on column plan_coverage.estimated_minutes is 'Minutes a run of this cell takes: median of the finished ones.';
comment on column plan_coverage.estimate_reason is 'Why there is no estimate.';
comment on column plan_coverage.compare_to is 'Variant it is to be compared with.';
comment on column plan_coverage.source is 'Where the weights are published.';
comment on column plan_coverage.reason is 'Why it failed or waits, and which runs do not count or are doubtful.';
