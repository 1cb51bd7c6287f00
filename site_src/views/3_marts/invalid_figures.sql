-- A figure that would mean nothing is NULL with a reason; here they are counted, over all requests that are not left out.
create or replace view invalid_figures as
with
reasons as (
    select run_id, op_index, 'decode speed' as figure, decode_reason as reason from request_speed
    union all
    select run_id, op_index, 'prefill speed', prefill_reason from request_speed
    union all
    select run_id, op_index, 'time to first answer', ttfa_reason from request_speed
    union all
    select run_id, op_index, 'chunk gaps', gap_reason from request_gaps
)
select
    figure,
    reason,
    count(*) as request_count,
    count(distinct run_id) as run_count,
    any_value(total_count) as total_count
from (select *, count(*) over (partition by figure) as total_count from reasons)
where reason is not null
group by figure, reason
order by figure, request_count desc, reason;

comment on view invalid_figures is 'One row per figure and reason why requests do not have it.';
comment on column invalid_figures.figure is 'The figure.';
comment on column invalid_figures.reason is 'Why it would mean nothing.';
comment on column invalid_figures.request_count is 'Requests without it for that reason.';
comment on column invalid_figures.run_count is 'Runs they belong to.';
comment on column invalid_figures.total_count is 'All measured requests.';
