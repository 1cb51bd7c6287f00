-- Cold and warm are likely, not certain: the file cache cannot be read. Interval: Student-t on ln(seconds).
create or replace view configuration_load as
with
kinds as (
    select
        configuration_id,
        load_kind,
        count(*) as load_count,
        median(load_s) as load_s,
        avg(ln(load_s)) as center,
        std_error(ln(load_s)) * t_of(count(load_s) - 1) as margin
    from run_load
    inner join stg_runs using (run_id)
    where load_s is not null
    group by configuration_id, load_kind
)
select
    configuration_id,
    max(load_s) filter (load_kind = 'cold') as load_cold_s,
    max(exp(center - margin)) filter (load_kind = 'cold') as load_cold_s_low,
    max(exp(center + margin)) filter (load_kind = 'cold') as load_cold_s_high,
    coalesce(max(load_count) filter (load_kind = 'cold'), 0) as load_cold_count,
    max(load_s) filter (load_kind = 'warm') as load_warm_s,
    max(exp(center - margin)) filter (load_kind = 'warm') as load_warm_s_low,
    max(exp(center + margin)) filter (load_kind = 'warm') as load_warm_s_high,
    coalesce(max(load_count) filter (load_kind = 'warm'), 0) as load_warm_count
from kinds
group by configuration_id;

comment on view configuration_load is 'One row per configuration whose model was loaded by collect.';
comment on column configuration_load.configuration_id is 'The configuration.';
comment on column configuration_load.load_cold_s is 'Median load time where the file was probably not cached, seconds.';
comment on column configuration_load.load_cold_s_low is 'Lower end of its 95 % interval.';
comment on column configuration_load.load_cold_s_high is 'Upper end of its 95 % interval.';
comment on column configuration_load.load_cold_count is 'Such loads.';
comment on column configuration_load.load_warm_s is 'Median load time where the file was probably cached, seconds.';
comment on column configuration_load.load_warm_s_low is 'Lower end of its 95 % interval.';
comment on column configuration_load.load_warm_s_high is 'Upper end of its 95 % interval.';
comment on column configuration_load.load_warm_count is 'Such loads.';
