create or replace view compare_overview as
with
counted as (
    select
        machine,
        count(*) as pair_count,
        count(*) filter (verdict != 'not comparable') as comparable_count,
        count(*) filter (verdict != 'not comparable' and not is_undecided(verdict)) as decided_count,
        any_value(reason order by pair_place, a_configuration_id, b_configuration_id)
            filter (verdict = 'not comparable') as obstacle_reason
    from compare_pairs
    group by machine
),
measured as (
    select machine, count(*) as configuration_count from run_summary group by machine
)
select
    machines.machine,
    coalesce(measured.configuration_count, 0) as configuration_count,
    coalesce(pair_count, 0) as pair_count,
    coalesce(comparable_count, 0) as comparable_count,
    coalesce(decided_count, 0) as decided_count,
    obstacle_reason
from (select 1 as one)
left join machines on true
left join measured using (machine)
left join counted using (machine)
order by machines.place;

comment on view compare_overview is 'One row per machine, or one without machine before anything is measured: how many configurations can be compared.';
comment on column compare_overview.machine is 'Chip, GPU cores, memory.';
comment on column compare_overview.configuration_count is 'Configurations measured with a suite.';
comment on column compare_overview.pair_count is 'Pairs of them.';
comment on column compare_overview.comparable_count is 'Pairs whose decode speeds may be compared.';
comment on column compare_overview.decided_count is 'Pairs of these whose verdict decides something: faster, equivalent or a small difference.';
comment on column compare_overview.obstacle_reason is 'Why the pair measured last of those that may not be compared is none.';
