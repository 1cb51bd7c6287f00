create or replace view stg_outputs as
select
    raw_operations.run_id,
    op_index,
    op,
    configuration_id,
    left(md5(concat_ws(
        '|', machine, stg_runs.server, stg_runs.endpoint, stg_runs.runtime, model, stg_runs.quantization, sampling
    )), 12) as build_id,
    label as build_label,
    machine,
    model,
    stg_runs.runtime,
    stg_runs.quantization,
    prompt_id,
    prompt_sha256,
    repeat,
    nonce,
    output_text,
    reasoning_text,
    sha256(concat(coalesce(reasoning_text, ''), chr(31), coalesce(output_text, ''))) as text_sha256
from raw_operations
inner join stg_runs using (run_id)
where op in ('request', 'quality', 'fidelity') and not is_failure(error_kind);

comment on view stg_outputs is 'One row per stored output of a request that did not fail.';
comment on column stg_outputs.run_id is 'The run.';
comment on column stg_outputs.op_index is 'Place among the run''s operations.';
comment on column stg_outputs.op is 'request, quality or fidelity.';
comment on column stg_outputs.configuration_id is 'The configuration.';
comment on column stg_outputs.build_id is 'What quality is pooled over: machine, server, endpoint, engine, model, quantization, sampling.';
comment on column stg_outputs.build_label is 'Model, quantization, engine.';
comment on column stg_outputs.machine is 'Chip, GPU cores, memory.';
comment on column stg_outputs.model is 'The model.';
comment on column stg_outputs.runtime is 'Engine that ran the model.';
comment on column stg_outputs.quantization is 'Its quantization.';
comment on column stg_outputs.prompt_id is 'The prompt''s name in its suite.';
comment on column stg_outputs.prompt_sha256 is 'Hash of text, material and token limit.';
comment on column stg_outputs.repeat is 'Which repeat of the prompt, from 1.';
comment on column stg_outputs.nonce is 'Six digits the request began with.';
comment on column stg_outputs.output_text is 'The answer; untrusted.';
comment on column stg_outputs.reasoning_text is 'The reasoning; untrusted.';
comment on column stg_outputs.text_sha256 is 'Hash of reasoning and answer, as collector.graders.Output has it.';
