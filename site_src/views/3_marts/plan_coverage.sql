-- What is measured, what comes next and why. Measured is a cell with a run that counts (`plan_runs.exclusion`), inside or
-- outside the plan's order; blocks are only those inside it. A cell whose latest attempt failed is not tried again.
create or replace view plan_coverage as
with
machines as (
    select machine from stg_runs where server = 'lmstudio' and contributor is null
    union
    select machine from stg_here
),
cells as (
    select machines.machine, stg_plan.*
    from stg_plan
    left join machines on true
),
orders as (
    select
        plan_row, group_rank, order_code,
        list(block order by block) as all_blocks,
        coalesce(max(block) filter (not is_second_round), 0) as first_round_end
    from plan_order
    group by plan_row, group_rank, order_code
),
-- comparisons that further runs would decide
undecided as (
    select distinct configuration_id, true as is_undecided
    from (select a_id, b_id, unnest([a_id, b_id]) as configuration_id from pair_runs where further_runs is not null)
    inner join pairs using (a_id, b_id)
    where pairs.kind in ('framework', 'quantization', 'model')
),
judged as (
    select
        cells.*,
        orders.* exclude (plan_row),
        plan_results.* exclude (machine, plan_row),
        list_filter(
            all_blocks, lambda block: block <= first_round_end or coalesce(is_undecided, false) or list_contains(coalesce(finished_blocks, []), block)
        ) as blocks,
        list_filter(blocks, lambda block: not list_contains(coalesce(finished_blocks, []), block)) as missing_blocks,
        case
            when run_count > 0 then 'measured'
            when latest_failure is not null then 'failed'
            when status = 'archived' then 'pending, with reference'
            when status = 'to-find' then 'to find'
            else status
        end as state
    from cells
    inner join orders using (plan_row)
    left join plan_results using (machine, plan_row)
    left join undecided using (configuration_id)
),
due as (
    select
        *,
        missing_blocks[1] as next_block,
        len(missing_blocks) > 0 and latest_failure is null and state not in ('failed', 'to find', 'unavailable')
            as is_due
    from judged
)
select
    machine,
    model,
    variant,
    kind,
    context_length,
    budget_s,
    runtime,
    format,
    quantization,
    bits,
    priority,
    state,
    coalesce(run_count, 0) as run_count,
    len(blocks) - len(missing_blocks) as block_count,
    len(blocks) as planned_block_count,
    latest_run_at,
    decode_tps,
    decode_tps_low,
    decode_tps_high,
    interval_kind,
    coalesce(request_count, 0) as request_count,
    if(is_due, row_number() over (partition by machine, is_due order by next_block > first_round_end, group_rank, next_block), null) as next_rank,
    next_block as position_in_order,
    order_code,
    size_gb as download_gb,
    memory_gb as planned_memory_gb,
    run_minutes as estimated_minutes,
    if(run_minutes is null, 'no finished run of this cell on this machine', null) as estimate_reason,
    compare_to,
    source,
    nullif(concat_ws(
        '; ',
        latest_failure,
        if(state = 'running', 'by the plan''s word only', null),
        if(coalesce(run_count, 0) = 0 and latest_failure is null, note, null),
        doubts,
        if(model not in (select stg_models.model from stg_models), 'models.csv does not know this model', null)
    ), '') as reason
from due
order by machine, plan_row;

comment on view plan_coverage is 'One row per cell of plan.csv and machine with LM Studio runs; while nothing is measured anywhere, one per cell with machine NULL.';
comment on column plan_coverage.machine is 'Chip, GPU cores, memory; NULL where nothing is measured.';
comment on column plan_coverage.model is 'The model.';
comment on column plan_coverage.variant is 'What the plan calls the cell.';
comment on column plan_coverage.kind is 'speed: the standard suite; context: the ladder, how much of the context can be used.';
comment on column plan_coverage.context_length is 'Context to load with, in tokens; NULL is the plan''s 131,072.';
comment on column plan_coverage.budget_s is 'Time the ladder is given, in seconds.';
comment on column plan_coverage.runtime is 'Engine: mlx or llama.cpp.';
comment on column plan_coverage.format is 'gguf or mlx.';
comment on column plan_coverage.quantization is 'As LM Studio names it.';
comment on column plan_coverage.bits is 'Nominal bits per weight.';
comment on column plan_coverage.priority is 'Priority in the plan, 1 first.';
comment on column plan_coverage.state is 'measured; failed; pending; pending, with reference (a figure from another harness exists); running (only by the plan''s word); to find; unavailable.';
comment on column plan_coverage.run_count is 'Runs that count: through LM Studio, complete, suite standard, a decode speed, context of 131,072 or not told; of a ladder, every complete one.';
comment on column plan_coverage.block_count is 'Blocks of the plan''s order that are finished.';
comment on column plan_coverage.planned_block_count is 'Blocks the cell has in that order.';
comment on column plan_coverage.latest_run_at is 'Beginning of its latest LM Studio run, whether it counts or not, UTC.';
comment on column plan_coverage.decode_tps is 'Decode speed, tokens/s: geometric mean over the runs that count.';
comment on column plan_coverage.decode_tps_low is 'Lower end of its 95 % interval.';
comment on column plan_coverage.interval_kind is 'between runs: the interval holds what runs of this machine differ by; within this run: no configuration has two runs yet, and it does not.';
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
