create or replace view run_settings as
select
    run_id, configuration_id, label, machine, run_started_at, run_seconds,
    server, server_version, runtime, runtime_version, runtime_proof, os, collector_version,
    model_key, model_format, context_requested, context_effective, parallel, suite, repeats, seed_honored,
    memory_method, wired_limit_mb, served_by, is_forced,
    block, order_code
from stg_runs
left join (
    select run_id, any_value(block order by op_index) as block, any_value(order_code order by op_index) as order_code
    from stg_requests
    where order_code is not null
    group by run_id
) as places using (run_id)
order by run_started_at desc, run_id;

comment on view run_settings is 'One row per run: with what, and under which versions, it was measured.';
comment on column run_settings.run_id is 'The run.';
comment on column run_settings.configuration_id is 'Its configuration.';
comment on column run_settings.label is 'Model, quantization, engine.';
comment on column run_settings.machine is 'Chip, GPU cores, memory.';
comment on column run_settings.run_started_at is 'When the run began, UTC.';
comment on column run_settings.run_seconds is 'How long it took, in seconds; NULL after a crash.';
comment on column run_settings.server is 'The program that answered.';
comment on column run_settings.server_version is 'Its version.';
comment on column run_settings.runtime is 'Engine that ran the model.';
comment on column run_settings.runtime_version is 'Version of the engine.';
comment on column run_settings.runtime_proof is 'How the engine is known; NULL is not proven.';
comment on column run_settings.os is 'Operating system and version.';
comment on column run_settings.collector_version is 'Version of the collector.';
comment on column run_settings.model_key is 'What the server called the model.';
comment on column run_settings.model_format is 'gguf or mlx.';
comment on column run_settings.context_requested is 'Context length asked for, in tokens.';
comment on column run_settings.context_effective is 'Context length read back from the server, in tokens.';
comment on column run_settings.parallel is 'Slots for requests at once.';
comment on column run_settings.suite is 'Prompt suite.';
comment on column run_settings.repeats is 'Measured requests planned per prompt.';
comment on column run_settings.seed_honored is 'Whether the same warm-up request twice gave the same text; NULL is not known.';
comment on column run_settings.memory_method is 'What the memory samples hold.';
comment on column run_settings.wired_limit_mb is 'macOS wired limit in MiB; 0 is the system''s default.';
comment on column run_settings.served_by is 'Another device that answered; NULL is this one.';
comment on column run_settings.is_forced is 'Measured although a check of the machine had failed.';
comment on column run_settings.block is 'Which block of the plan''s order it is, from 1; NULL outside the plan.';
comment on column run_settings.order_code is 'Order of blocks in the plan, such as ABBA; NULL outside the plan.';
