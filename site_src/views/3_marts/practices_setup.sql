-- What the runs show of how to set up machine and server. Settings of LM Studio are of runs through it alone.
create or replace view practices_setup as
with
served as (
    select * from stg_runs where server = 'lmstudio' and contributor is null
),
settings as (
    select machine, 'context' as practice, run_id, context_effective != context_requested as is_affected from served
    union all
    select machine, 'slots', run_id, parallel != 1 from served
    union all
    select machine, 'seed', run_id, not seed_honored from served
    union all
    select machine, 'awake', run_environment.run_id, kept_awake_by is null from run_environment where survey_count > 0
    union all
    select machine, 'heat', run_environment.run_id, thermal_worst != 'nominal' from run_environment where thermal_worst is not null
    union all
    select machine, 'pressure', run_environment.run_id, coalesce(pressure_worst != 'normal', false) or coalesce(swap_grown_gb > 0, false)
    from run_environment
    where pressure_worst is not null or swap_grown_gb is not null
    union all
    select machine, 'wired', run_id, wired_limit_mb > 0 from stg_runs
),
counted as (
    select
        machine, practice,
        count(is_affected) as run_count,
        count(*) filter (is_affected) as affected_count
    from settings
    group by machine, practice
),
caches as (
    select
        machine,
        count(*) as run_count,
        sum(prompt_count)::bigint as case_count,
        avg(ln(warm_ratio)) as center,
        std_error(ln(warm_ratio)) * t_of(count(warm_ratio) - 1) as margin
    from prefix_cache
    where run_id in (select served.run_id from served)
    group by machine
),
limits as (
    select
        machine,
        max(wired_limit_mb) * 1048576.0 / 1e9 as wired_limit_gb,
        max(machine_memory_gb) as machine_memory_gb
    from stg_runs
    group by machine
)
select
    machine, practice,
    if(
        practice = 'wired', if(affected_count > 0, 'raised', 'system default'),
        if(affected_count = 0, 'never', if(affected_count = run_count, 'always', 'sometimes'))
    ) as verdict,
    run_count, affected_count,
    if(practice = 'wired' and affected_count > 0, wired_limit_gb, null) as memory_gb,
    if(practice = 'wired', machine_memory_gb, null) as budget_gb
from counted
left join limits using (machine)
where run_count > 0
union all by name
select
    machine, 'cache' as practice,
    case when exp(center) < 0.2 then 'yes' when exp(center) < 0.5 then 'partly' else 'no' end as verdict,
    run_count, case_count,
    exp(center) as warm_ratio, exp(center - margin) as warm_ratio_low, exp(center + margin) as warm_ratio_high
from caches
order by machine, practice;

comment on view practices_setup is 'One row per machine and setting of which any run says something.';
comment on column practices_setup.machine is 'Chip, GPU cores, memory.';
comment on column practices_setup.practice is 'Which advice: wired, context, slots, seed, cache, awake, heat, pressure.';
comment on column practices_setup.verdict is 'What the results say: of a choice its verdict; of a setting whether runs were without it never, sometimes or always; not measured.';
comment on column practices_setup.run_count is 'Runs behind it.';
comment on column practices_setup.affected_count is 'How many of them it is about: runs without the setting, candidates that do not fit, weights that can go, best values.';
comment on column practices_setup.memory_gb is 'The wired limit where it was raised, GB.';
comment on column practices_setup.budget_gb is 'Memory built in, GB.';
comment on column practices_setup.case_count is 'Of how many: rated candidates, quantizations, loads, prompts sent again.';
comment on column practices_setup.warm_ratio is 'TTFT of a prompt that was just sent over that of the measured one: geometric mean over runs.';
comment on column practices_setup.warm_ratio_low is 'Lower end of its 95 % interval, over runs.';
comment on column practices_setup.warm_ratio_high is 'Upper end of it.';
