create or replace view shown_samples as
select run_id, configuration_id, label, machine, run_started_at, is_macos
from stg_runs
where run_id in (select run_id from run_peaks) and server is distinct from 'llama-bench'
qualify row_number() over (partition by configuration_id order by run_started_at desc, run_id) = 1;

comment on view shown_samples is 'One row per configuration with memory samples: the latest run that has any.';
comment on column shown_samples.run_id is 'The run.';
comment on column shown_samples.configuration_id is 'Its configuration.';
comment on column shown_samples.label is 'Model, quantization, engine.';
comment on column shown_samples.machine is 'Chip, GPU cores, memory.';
comment on column shown_samples.run_started_at is 'When it began, UTC.';
comment on column shown_samples.is_macos is 'Whether the machine runs macOS.';
