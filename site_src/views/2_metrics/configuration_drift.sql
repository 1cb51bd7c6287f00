-- Blocks go there and back (A B B A), so a steady drift cancels out of a comparison; a large one is still told. Only
-- prompts that the first and the last run both have can show it.
create or replace view configuration_drift as
with
placed as (
    select
        configuration_id, prompt_sha256, decode_log_mean,
        dense_rank() over (partition by configuration_id order by run_started_at, run_id) as place,
        dense_rank() over (partition by configuration_id order by run_started_at desc, run_id desc) as place_from_end
    from prompt_speed
    inner join (
        select run_id, configuration_id, run_started_at from run_versions where is_current
    ) as runs using (run_id)
    where decode_log_mean is not null
),
runs_of as (
    select configuration_id, max(place) as run_count from placed group by configuration_id
)
select configuration_id, any_value(run_count) as run_count, avg(latest.decode_log_mean - earliest.decode_log_mean) as drift
from placed as latest
inner join placed as earliest using (configuration_id, prompt_sha256)
inner join runs_of using (configuration_id)
where latest.place_from_end = 1 and earliest.place = 1 and run_count > 1
group by configuration_id;

comment on view configuration_drift is 'One row per configuration with several runs: how its speed changed from the first to the last.';
comment on column configuration_drift.configuration_id is 'The configuration.';
comment on column configuration_drift.run_count is 'Runs with a decode speed.';
comment on column configuration_drift.drift is 'Mean over the prompts of both of ln(decode speed of the last run / of the first).';
