create or replace view configuration_load as
select
    set_id as configuration_id,
    any_value(load_s) filter (is_shown) as load_s,
    any_value(load_s_low) filter (is_shown) as load_s_low,
    any_value(load_s_high) filter (is_shown) as load_s_high,
    any_value(load_kind) filter (is_shown) as load_kind,
    any_value(load_count) filter (is_shown) as load_count,
    any_value(load_s) filter (load_kind = 'cold') as load_cold_s,
    any_value(load_s_low) filter (load_kind = 'cold') as load_cold_s_low,
    any_value(load_s_high) filter (load_kind = 'cold') as load_cold_s_high,
    coalesce(any_value(load_count) filter (load_kind = 'cold'), 0) as load_cold_count,
    any_value(load_s) filter (load_kind = 'warm') as load_warm_s,
    any_value(load_s_low) filter (load_kind = 'warm') as load_warm_s_low,
    any_value(load_s_high) filter (load_kind = 'warm') as load_warm_s_high,
    coalesce(any_value(load_count) filter (load_kind = 'warm'), 0) as load_warm_count
from set_load
semi join (select configuration_id from configurations) as known on known.configuration_id = set_id
group by set_id;

comment on view configuration_load is 'One row per configuration whose model was loaded by collect.';
comment on column configuration_load.configuration_id is 'The configuration.';
comment on column configuration_load.load_s is 'Median load time, seconds: of warm loads where there are any, else of cold ones, else of those of unknown kind.';
comment on column configuration_load.load_s_low is 'Lower end of its 95 % interval.';
comment on column configuration_load.load_s_high is 'Upper end of it.';
comment on column configuration_load.load_kind is 'warm, cold, or not known.';
comment on column configuration_load.load_count is 'Loads of that kind.';
comment on column configuration_load.load_cold_s is 'Median load time where the file was probably not cached, seconds.';
comment on column configuration_load.load_cold_s_low is 'Lower end of its 95 % interval.';
comment on column configuration_load.load_cold_s_high is 'Upper end of its 95 % interval.';
comment on column configuration_load.load_cold_count is 'Such loads.';
comment on column configuration_load.load_warm_s is 'Median load time where the file was probably cached, seconds.';
comment on column configuration_load.load_warm_s_low is 'Lower end of its 95 % interval.';
comment on column configuration_load.load_warm_s_high is 'Upper end of its 95 % interval.';
comment on column configuration_load.load_warm_count is 'Such loads.';
