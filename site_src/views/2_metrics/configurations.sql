-- What is equal in all runs of a configuration. A context ladder is one of its own; an imported file is none.
create or replace view configurations as
select
    configuration_id,
    any_value(label order by run_id) as label,
    any_value(machine order by run_id) as machine,
    any_value(server order by run_id) as server,
    any_value(endpoint order by run_id) as endpoint,
    any_value(model order by run_id) as model,
    any_value(runtime order by run_id) as runtime,
    any_value(quantization order by run_id) as quantization,
    any_value(bits order by run_id) as bits,
    any_value(context_effective order by run_id) as context_effective,
    any_value(parallel order by run_id) as parallel,
    any_value(sampling order by run_id) as sampling,
    any_value(suite order by run_id) as suite,
    coalesce(any_value(suite order by run_id) = 'context', false) as is_ladder,
    max(file_bytes) as file_bytes,
    bool_or(is_forced) as is_forced,
    string_agg(distinct server_version, ', ' order by server_version) as server_versions
from stg_runs
where server is distinct from 'llama-bench'
group by configuration_id;

comment on view configurations is 'One row per configuration: what all its runs have in common.';
comment on column configurations.configuration_id is 'The configuration.';
comment on column configurations.label is 'Model, quantization, engine.';
comment on column configurations.machine is 'Chip, GPU cores, memory.';
comment on column configurations.server is 'The program that answered.';
comment on column configurations.endpoint is 'Path that timed requests went to.';
comment on column configurations.model is 'The model.';
comment on column configurations.runtime is 'Engine that ran the model.';
comment on column configurations.quantization is 'Its quantization.';
comment on column configurations.bits is 'Nominal bits per weight.';
comment on column configurations.context_effective is 'Context length the server had, tokens.';
comment on column configurations.parallel is 'Slots for requests at once.';
comment on column configurations.sampling is 'Sampling parameters as sent.';
comment on column configurations.suite is 'Prompt suite.';
comment on column configurations.is_ladder is 'Whether its runs are context ladders.';
comment on column configurations.is_forced is 'Whether a run was measured although a check of the machine had failed.';
comment on column configurations.server_versions is 'Versions of the server that its runs were answered by.';
comment on column configurations.file_bytes is 'Size of the weights, bytes.';
