create or replace view run_checks as
with
findings as (
    select run_id, unnest(preflight) as finding, generate_subscripts(preflight, 1) as place
    from (
        select run_id, preflight from raw_facts qualify row_number() over (partition by run_id order by op_index) = 1
    )
)
select
    stg_runs.run_id, stg_runs.configuration_id, stg_runs.label, stg_runs.machine, stg_runs.run_started_at,
    place, finding.name as name, finding.verdict as verdict, finding.detail as detail
from findings
inner join stg_runs using (run_id)
order by run_started_at desc, run_id, place;

comment on view run_checks is 'One row per check made before a run: was the machine fit to measure?';
comment on column run_checks.run_id is 'The run.';
comment on column run_checks.configuration_id is 'Its configuration.';
comment on column run_checks.label is 'Model, quantization, engine.';
comment on column run_checks.machine is 'Chip, GPU cores, memory.';
comment on column run_checks.run_started_at is 'When the run began, UTC.';
comment on column run_checks.place is 'Place among the run''s checks, from 1.';
comment on column run_checks.name is 'What was checked.';
comment on column run_checks.verdict is 'pass, warn, fail, or unknown where nothing could be read.';
comment on column run_checks.detail is 'What was found.';
