create or replace view stg_machines as
select
    chip,
    cast(gpu_cores as integer) as gpu_cores,
    cast(memory_bandwidth_gbs as double) as memory_bandwidth_gbs,
    source
from raw_machines;

comment on view stg_machines is 'One row per chip in machines.csv, or per number of GPU cores where the bandwidth hangs on it.';
comment on column stg_machines.chip is 'Name as the system gives it.';
comment on column stg_machines.gpu_cores is 'Only with so many GPU cores; NULL is any number.';
comment on column stg_machines.memory_bandwidth_gbs is 'Memory bandwidth as its maker publishes it, GB/s.';
comment on column stg_machines.source is 'Where the figure is from.';
