create or replace view stg_plan as
select
    row_number() over (order by line) as plan_row,
    model,
    variant,
    runtime,
    format,
    quantization,
    cast(bits as integer) as bits,
    cast(size_gb as double) as size_gb,
    cast(memory_gb as double) as memory_gb,
    cast(priority as integer) as priority,
    status,
    compare_to,
    source,
    note,
    coalesce(kind, 'speed') as kind,
    cast(context_length as integer) as context_length,
    cast(budget_s as double) as budget_s
from raw_plan;

comment on view stg_plan is 'One row per cell of the matrix in plan.csv.';
comment on column stg_plan.plan_row is 'Place in the plan, from 1; names the cell.';
comment on column stg_plan.model is 'The model, as in models.csv.';
comment on column stg_plan.variant is 'What the plan calls the cell.';
comment on column stg_plan.runtime is 'Engine: mlx or llama.cpp.';
comment on column stg_plan.format is 'gguf or mlx.';
comment on column stg_plan.quantization is 'As LM Studio names it.';
comment on column stg_plan.bits is 'Nominal bits per weight.';
comment on column stg_plan.size_gb is 'Size of the download by the plan, GB.';
comment on column stg_plan.memory_gb is 'Memory needed by the plan''s estimate, GB.';
comment on column stg_plan.priority is 'Within its model and engine, 1 first.';
comment on column stg_plan.status is 'What the plan says without any result: pending, running, archived, to-find, unavailable or failed.';
comment on column stg_plan.compare_to is 'Variant it is to be compared with.';
comment on column stg_plan.source is 'Where the weights are published.';
comment on column stg_plan.note is 'What the plan remarks.';
comment on column stg_plan.kind is 'speed: the standard suite; context: the ladder.';
comment on column stg_plan.context_length is 'Context to load with, in tokens; NULL is the plan''s 131,072.';
comment on column stg_plan.budget_s is 'Time the ladder is given, in seconds.';
