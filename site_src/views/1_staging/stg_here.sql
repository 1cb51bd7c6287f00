create or replace view stg_here as
select machine_name(chip, gpu_cores, cpu_cores, memory_bytes) as machine from raw_here;

comment on view stg_here is 'One row: this computer, where whoever asks has told who it is; else none.';
comment on column stg_here.machine is 'Chip, GPU cores and memory, as in stg_runs.';
