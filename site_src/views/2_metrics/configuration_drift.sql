-- Blocks go there and back (A B B A), so a steady drift cancels out of a comparison; a large one is still told.
create or replace view configuration_drift as
select
    configuration_id,
    count(*) as run_count,
    arg_max(decode_center, (run_started_at, run_id)) - arg_min(decode_center, (run_started_at, run_id)) as drift
from run_speed
inner join stg_runs using (run_id)
where decode_center is not null
group by configuration_id
having count(*) > 1;

comment on view configuration_drift is 'One row per configuration with several runs: how its speed changed from the first to the last.';
comment on column configuration_drift.configuration_id is 'The configuration.';
comment on column configuration_drift.run_count is 'Runs with a decode speed.';
comment on column configuration_drift.drift is 'ln(decode speed of the last run / of the first).';
