-- How far the machine that readers see first is with the plan.
create or replace view badge as
select
    measured_cell_count,
    cell_count,
    case when measured_cell_count = 0 then 'none' when measured_cell_count < cell_count then 'some' else 'all' end as state
from overview
left join machines using (machine)
order by place nulls last
limit 1;

comment on view badge is 'One row: how much of the plan is measured.';
comment on column badge.measured_cell_count is 'Cells of the plan measured on the machine that is shown first.';
comment on column badge.cell_count is 'Cells of the plan.';
comment on column badge.state is 'none, some or all.';
