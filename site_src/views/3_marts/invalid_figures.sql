-- A figure that would mean nothing is NULL with a reason; here they are counted over all requests of a machine.
create or replace view invalid_figures as
with
reasons as (
    select run_id, 'decode speed' as figure, decode_reason as reason from request_speed
    union all
    select run_id, 'prefill speed', prefill_reason from request_speed
    union all
    select run_id, 'time to first token', ttft_reason from request_speed
    union all
    select run_id, 'time to first answer', ttfa_reason from request_speed
    union all
    select run_id, 'chunk gaps', gap_reason from request_gaps
),
counted as (
    select machine, figure, reason, count(*) as request_count, count(distinct run_id) as run_count
    from reasons
    inner join (select run_id, machine from stg_runs) as machines using (run_id)
    group by machine, figure, reason
)
select
    figure,
    reason,
    request_count,
    run_count,
    (sum(request_count) over (partition by machine, figure))::bigint as total_count,
    machine
from counted
qualify reason is not null
order by machine, figure, request_count desc, reason;

comment on view invalid_figures is 'One row per machine, figure and reason why requests do not have it.';
comment on column invalid_figures.figure is 'The figure.';
comment on column invalid_figures.reason is 'Why it would mean nothing.';
comment on column invalid_figures.request_count is 'Requests without it for that reason.';
comment on column invalid_figures.run_count is 'Runs they belong to.';
comment on column invalid_figures.total_count is 'All measured requests of the machine.';
comment on column invalid_figures.machine is 'Chip, GPU cores, memory.';
