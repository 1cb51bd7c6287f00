create or replace view run_environment as
with
readings as (
    select run_id, op_index, unnest(environment) as reading from raw_facts where environment is not null
),
named as (
    select run_id, op_index, reading.name, reading.number, reading.text, reading.reason from readings
),
by_run as (
    select
        run_id,
        string_agg(distinct text, ', ' order by text) filter (name = 'power_source') as power_source,
        string_agg(distinct text, ', ' order by text) filter (name = 'power_mode') as power_mode,
        arg_min(number, op_index) filter (name = 'free_memory_bytes') as free_memory_start,
        arg_max(number, op_index) filter (name = 'free_memory_bytes') as free_memory_end,
        arg_min(number, op_index) filter (name = 'disk_free_bytes') as disk_start,
        arg_max(number, op_index) filter (name = 'disk_free_bytes') as disk_end,
        max(number) filter (name = 'gpu_busy_percent') as gpu_busy_percent_max,
        max(number) filter (name = 'cpu_busy_percent') as cpu_busy_percent_max,
        any_value(reason) filter (name = 'thermal_pressure') as thermal_reason,
        count(distinct op_index) as survey_count
    from named
    group by run_id
),
flags as (
    select run_id, count(*) filter (is_hot) as hot_count, count(*) filter (is_pressured) as pressured_count
    from request_flags
    group by run_id
)
select
    runs.run_id, runs.configuration_id, runs.label, runs.machine, runs.run_started_at, runs.request_count,
    ['nominal', 'moderate', 'heavy', 'trapping', 'sleeping'][thermal_level + 1] as thermal_worst,
    case pressure_level when 1 then 'normal' when 2 then 'warn' when 4 then 'critical' end as pressure_worst,
    coalesce(hot_count, 0) as hot_count,
    coalesce(pressured_count, 0) as pressured_count,
    power_source, power_mode, gpu_busy_percent_max, cpu_busy_percent_max,
    gb(free_memory_start) as free_memory_start_gb,
    gb(free_memory_end) as free_memory_end_gb,
    gb(disk_start) as disk_free_start_gb,
    gb(disk_end) as disk_free_end_gb,
    gb(swap_grown_bytes) as swap_grown_gb,
    facts.cooldown_s,
    facts.kept_awake_by,
    position_drift.rho as drift_rho,
    coalesce(position_drift.is_drifting, false) as is_drifting,
    coalesce(survey_count, 0) as survey_count,
    nullif(concat_ws(
        '; ',
        if(survey_count is null, 'no survey in this file', null),
        'thermal pressure: ' || thermal_reason,
        if(kept_awake_by is null and survey_count > 0, 'nothing kept the machine awake', null),
        if(position_drift.is_drifting, format('speed follows position in the run (rho {:.2f})', position_drift.rho), null)
    ), '') as reason
from runs
inner join (
    select run_id, any_value(cooldown_s) as cooldown_s, any_value(kept_awake_by) as kept_awake_by
    from raw_facts
    group by run_id
) as facts using (run_id)
left join by_run using (run_id)
left join run_peaks using (run_id)
left join flags using (run_id)
left join position_drift using (run_id)
where runs.server is distinct from 'llama-bench'
order by run_started_at desc, run_id;

comment on view run_environment is 'One row per run: what the machine was doing meanwhile.';
comment on column run_environment.run_id is 'The run.';
comment on column run_environment.configuration_id is 'Its configuration.';
comment on column run_environment.label is 'Model, quantization, engine.';
comment on column run_environment.machine is 'Chip, GPU cores, memory.';
comment on column run_environment.run_started_at is 'When it began, UTC.';
comment on column run_environment.request_count is 'Measured requests.';
comment on column run_environment.thermal_worst is 'Worst thermal pressure in any sample; NULL where the system does not tell.';
comment on column run_environment.pressure_worst is 'Worst memory pressure in any sample.';
comment on column run_environment.hot_count is 'Requests under thermal pressure; left out.';
comment on column run_environment.pressured_count is 'Requests under memory pressure; left out.';
comment on column run_environment.power_source is 'ac or battery, at any survey.';
comment on column run_environment.power_mode is 'low, normal or high, at any survey.';
comment on column run_environment.gpu_busy_percent_max is 'Busiest GPU at a survey, between requests, %.';
comment on column run_environment.cpu_busy_percent_max is 'Busiest CPU at a survey, between requests, %.';
comment on column run_environment.free_memory_start_gb is 'Free memory at the first survey, GB.';
comment on column run_environment.free_memory_end_gb is 'At the last.';
comment on column run_environment.disk_free_start_gb is 'Free disk at the first survey, GB.';
comment on column run_environment.disk_free_end_gb is 'At the last.';
comment on column run_environment.swap_grown_gb is 'How much swap grew during the run, GB.';
comment on column run_environment.cooldown_s is 'Seconds waited before the run until the machine was at rest; NULL: nobody waited.';
comment on column run_environment.kept_awake_by is 'What kept the machine from sleeping.';
comment on column run_environment.drift_rho is 'Spearman''s rank correlation of decode speed, relative to its prompt, with position in the run.';
comment on column run_environment.is_drifting is '|rho| of at least 0.8 over at least 6 requests that range over 5 %.';
comment on column run_environment.survey_count is 'Surveys taken.';
comment on column run_environment.reason is 'What is not known or stands out.';
