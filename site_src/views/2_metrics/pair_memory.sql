-- Memory and load time of two sets: figures of one kind only, peaks against a baseline before others, warm loads before
-- cold ones. Difference and ratio are of one estimator, geometric means over runs. Intervals: Student-t on the logarithm,
-- both sides independent, each with its own spread and so with Welch's degrees of freedom.
create or replace view pair_memory as
with
wanted as (
    select distinct a_id, b_id, coalesce(obstacle, memory_obstacle) as obstacle from pairs
),
figures as (
    select
        set_id, 'memory' as figure, peak_memory_kind as kind,
        avg(ln(peak_memory_gb)) as center, std_error(ln(peak_memory_gb)) as se, count(peak_memory_gb) as run_count
    from run_sets
    inner join run_memory using (run_id)
    where peak_memory_gb > 0
    group by set_id, peak_memory_kind
    union all
    select set_id, 'load', load_kind, avg(ln(load_s)), std_error(ln(load_s)), count(load_s)
    from run_sets
    inner join run_load using (run_id)
    where load_kind is not null
    group by set_id, load_kind
),
beside as (
    select
        a_id, b_id, a.figure, a.kind,
        exp(a.center) - exp(b.center) as difference,
        a.center - b.center as ratio,
        if(a.se = 0 and b.se = 0, 0, sqrt(a.se * a.se + b.se * b.se) * t_of(satterthwaite(
            a.se * a.se + b.se * b.se, a.se * a.se, a.run_count - 1, b.se * b.se, b.run_count - 1
        ))) as margin,
        a.run_count as a_run_count,
        b.run_count as b_run_count,
        least(a.run_count, b.run_count) as run_count
    from wanted
    inner join figures as a on a.set_id = a_id
    inner join figures as b on b.set_id = b_id and b.figure = a.figure and b.kind = a.kind
    where obstacle is null
    qualify row_number() over (
        partition by a_id, b_id, a.figure order by a.kind in ('system, above baseline', 'warm') desc, least(a.run_count, b.run_count) desc, a.kind
    ) = 1
)
select
    wanted.a_id, wanted.b_id,
    memory.kind as memory_kind,
    memory.difference as memory_difference_gb,
    memory.ratio as memory, memory.margin as memory_margin,
    coalesce(memory.run_count, 0) as memory_run_count,
    sides_verdict(memory.ratio, memory.margin, 'between runs', memory.a_run_count, memory.b_run_count, 'a larger', 'b larger') as memory_verdict,
    case
        when memory.ratio is null then coalesce(obstacle, 'no peak memory of one kind on both sides')
        when memory.margin is null then 'one run on a side'
    end as memory_reason,
    load.kind as load_kind,
    load.difference as load_difference_s,
    load.ratio as load, load.margin as load_margin,
    coalesce(load.run_count, 0) as load_run_count,
    sides_verdict(load.ratio, load.margin, 'between runs', load.a_run_count, load.b_run_count, 'a slower', 'b slower') as load_verdict,
    case
        when load.ratio is null then coalesce(obstacle, 'no load time on both sides that is known as cold or as warm')
        when load.margin is null then 'one load on a side'
    end as load_reason
from wanted
left join beside as memory on memory.figure = 'memory' and memory.a_id = wanted.a_id and memory.b_id = wanted.b_id
left join beside as load on load.figure = 'load' and load.a_id = wanted.a_id and load.b_id = wanted.b_id;

comment on view pair_memory is 'One row per pair: peak memory and load time of a over b, with verdicts.';
comment on column pair_memory.a_id is 'Set a.';
comment on column pair_memory.b_id is 'Set b.';
comment on column pair_memory.memory_kind is 'What both peaks hold.';
comment on column pair_memory.memory_difference_gb is 'Peak of a less that of b, geometric means over runs, GB.';
comment on column pair_memory.memory is 'Mean over runs of ln(peak of a) less that of b.';
comment on column pair_memory.memory_margin is 'Half its 95 % interval.';
comment on column pair_memory.memory_run_count is 'Runs behind it on the side with fewer.';
comment on column pair_memory.memory_verdict is 'a larger or b larger (by more than 3 %), equivalent, small difference, inconclusive, one run a side, not comparable.';
comment on column pair_memory.memory_reason is 'Why it is not sure.';
comment on column pair_memory.load_kind is 'warm: both files were probably cached; cold: neither.';
comment on column pair_memory.load_difference_s is 'Load time of a less that of b, geometric means over loads, seconds.';
comment on column pair_memory.load is 'Mean over loads of ln(load time of a) less that of b.';
comment on column pair_memory.load_margin is 'Half its 95 % interval.';
comment on column pair_memory.load_run_count is 'Loads behind it on the side with fewer.';
comment on column pair_memory.load_verdict is 'a slower or b slower (by more than 3 %), equivalent, small difference, inconclusive, one run a side, not comparable.';
comment on column pair_memory.load_reason is 'Why it is not sure.';
