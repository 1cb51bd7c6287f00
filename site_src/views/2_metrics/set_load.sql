-- Load times of a set of runs. Cold and warm are two figures, never one; which of them a load was is likely, not certain,
-- since the file cache cannot be read. Interval: Student-t on ln(seconds), centered on the median.
create or replace view set_load as
select
    set_id,
    coalesce(load_kind, 'not known') as load_kind,
    count(*) as load_count,
    median(load_s) as load_s,
    exp(ln(median(load_s)) - std_error(ln(load_s)) * median_price(count(*)) * t_of(count(*) - 1)) as load_s_low,
    exp(ln(median(load_s)) + std_error(ln(load_s)) * median_price(count(*)) * t_of(count(*) - 1)) as load_s_high,
    -- warm loads are what one waits for when changing models
    row_number() over (
        partition by set_id order by list_position(['warm', 'cold', 'not known'], coalesce(load_kind, 'not known'))
    ) = 1 as is_shown
from run_load
inner join run_sets using (run_id)
where load_s is not null
group by set_id, coalesce(load_kind, 'not known');

comment on view set_load is 'One row per set of runs and kind of load.';
comment on column set_load.set_id is 'The set, as in run_sets.';
comment on column set_load.load_kind is 'warm where the file was probably cached, cold where it was not, or not known.';
comment on column set_load.load_count is 'Loads.';
comment on column set_load.load_s is 'Median load time, seconds.';
comment on column set_load.load_s_low is 'Lower end of its 95 % interval.';
comment on column set_load.load_s_high is 'Upper end of it.';
comment on column set_load.is_shown is 'Whether this kind stands for the set where one figure does.';
