create or replace view archive as
select
    model,
    variant,
    harness,
    cast(decode_tps as double) as decode_tps,
    cast(memory_gb as double) as memory_gb,
    cast(decode_tps as double) / cast(memory_gb as double) as tps_per_gb,
    chip,
    note
from raw_archive
order by model, variant;

comment on view archive is 'One row per figure measured before this project, with another harness: a reference, in no comparison.';
comment on column archive.model is 'The model.';
comment on column archive.variant is 'Its variant.';
comment on column archive.harness is 'How it was measured.';
comment on column archive.decode_tps is 'Tokens per second, as noted then.';
comment on column archive.memory_gb is 'Memory as noted then, about, GB.';
comment on column archive.note is 'What to keep in mind.';
comment on column archive.tps_per_gb is 'Tokens per second for each GB of that memory.';
comment on column archive.chip is 'The machine it was measured on.';
