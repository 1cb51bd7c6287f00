-- A block is one load and one run file. Members of a group, that is all cells of one model and bit width, go there and
-- back: A A, A B B A, A B C C B A. So a steady drift of the machine hits them alike, also when some cannot be run and
-- are left out. There and back a second time, after all groups, is for cells whose comparisons the first left undecided:
-- four runs of two repeats tell more than two of four. Its blocks go on counting. The order hangs on plan.csv alone: a cell
-- that turns up or fails later changes no other's place.
-- A context ladder is a block of its own, after all others: it takes long, and compares with nothing in its group.
create or replace view plan_order as
with
members as (
    select
        plan_row,
        model,
        bits,
        row_number() over (partition by model, bits order by runtime != 'mlx', plan_row) as member,
        count(*) over (partition by model, bits) as member_count,
        min(priority) over (partition by model, bits) as group_priority
    from stg_plan
    where kind = 'speed'
),
lettered as (
    select
        *,
        array_to_string([chr(cast(64 + number as integer)) for number in range(1, member_count + 1)], '') as there,
        dense_rank() over (order by group_priority, model, bits) as group_rank
    from members
)
select
    plan_row,
    group_rank,
    there || reverse(there) as order_code,
    unnest([member, 2 * member_count + 1 - member, 2 * member_count + member, 4 * member_count + 1 - member]) as block,
    block > 2 * member_count as is_second_round
from lettered
union all
select plan_row, 1000 + priority as group_rank, 'context' as order_code, 1 as block, false
from stg_plan
where kind = 'context';

comment on view plan_order is 'One row per block of the plan: four for a cell of speed, one for a context ladder.';
comment on column plan_order.plan_row is 'The cell: its place in the plan.';
comment on column plan_order.group_rank is 'Place of its group, from 1: by the priority of the best member, then by model and bits.';
comment on column plan_order.order_code is 'Order of the group''s blocks, a letter a member, MLX first.';
comment on column plan_order.block is 'Place of this block in that order, from 1.';
comment on column plan_order.is_second_round is 'Whether it is wanted only where the blocks before it leave a comparison undecided.';
