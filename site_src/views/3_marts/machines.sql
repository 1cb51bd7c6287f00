-- The machine a reader sees first: one with runs through LM Studio, for those answer the plan; of several the one with most.
-- What others contributed comes after all that is this repository's own, and answers nothing.
create or replace view machines as
with
counted as (
    select
        machine,
        contributor,
        count(*) filter (server = 'lmstudio') as plan_run_count,
        count(*) as run_count,
        count(distinct configuration_id) as configuration_count,
        max(run_started_at) as latest_run_at
    from stg_runs
    group by machine, contributor
)
select
    machine,
    row_number() over (order by contributor is not null, plan_run_count desc, run_count desc, machine) as place,
    plan_run_count > 0 and contributor is null as is_plan,
    contributor,
    plan_run_count, run_count, configuration_count, latest_run_at
from counted
order by place;

comment on view machines is 'One row per machine that was measured, the one to be shown first at the top.';
comment on column machines.machine is 'Chip, GPU cores, memory.';
comment on column machines.place is 'Its place, from 1: the machine that readers see who have picked none.';
comment on column machines.is_plan is 'Whether any run went through LM Studio: only those answer the plan''s questions.';
comment on column machines.plan_run_count is 'Runs through LM Studio.';
comment on column machines.run_count is 'Runs.';
comment on column machines.configuration_count is 'Configurations measured.';
comment on column machines.latest_run_at is 'When the latest run began, UTC.';
comment on column machines.contributor is 'Who contributed its runs: the key that signed them, in short; NULL is this repository.';
