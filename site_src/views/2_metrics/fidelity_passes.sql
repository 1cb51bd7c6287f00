create or replace view fidelity_passes as
select outputs.*, builds.reference_id
from stg_outputs as outputs
inner join builds using (build_id)
where outputs.op = 'fidelity'
    -- of several passes the latest
    and outputs.run_id = (
        select arg_max(run_id, (run_started_at, run_id)) from stg_outputs as others
        where others.op = 'fidelity' and others.build_id = outputs.build_id
    );

comment on view fidelity_passes is 'One row per output at temperature 0, of each build''s latest pass.';
comment on column fidelity_passes.run_id is 'The run.';
comment on column fidelity_passes.op_index is 'Place among the run''s operations.';
comment on column fidelity_passes.op is 'request: timed, cut off at the plan''s limits; quality: with a raised limit; fidelity: at temperature 0.';
comment on column fidelity_passes.run_started_at is 'When the run began, UTC.';
comment on column fidelity_passes.configuration_id is 'Its configuration.';
comment on column fidelity_passes.build_id is 'Equal for outputs of the same machine, server, endpoint, engine, model, quantization and sampling.';
comment on column fidelity_passes.build_label is 'Model, quantization, engine.';
comment on column fidelity_passes.machine is 'Chip, GPU cores, memory.';
comment on column fidelity_passes.server is 'The program that answered.';
comment on column fidelity_passes.endpoint is 'Path that requests went to.';
comment on column fidelity_passes.runtime is 'Engine that ran the model.';
comment on column fidelity_passes.model is 'The model, by models.csv.';
comment on column fidelity_passes.quantization is 'As the server or the file names it.';
comment on column fidelity_passes.bits is 'Nominal bits per weight.';
comment on column fidelity_passes.file_bytes is 'Size of the weights in bytes.';
comment on column fidelity_passes.sampling is 'Sampling parameters of the run''s timed requests.';
comment on column fidelity_passes.prompt_id is 'The prompt''s name in its suite.';
comment on column fidelity_passes.prompt_category is 'What kind of prompt it is.';
comment on column fidelity_passes.prompt_sha256 is 'Hash of text, material and token limit.';
comment on column fidelity_passes.repeat is 'Which repeat of the prompt, from 1; quality passes of a configuration count on.';
comment on column fidelity_passes.nonce is 'Six digits the request began with.';
comment on column fidelity_passes.max_tokens is 'Token limit sent.';
comment on column fidelity_passes.finish_reason is 'Why generation ended.';
comment on column fidelity_passes.text_sha256 is 'Hash of reasoning and answer, which ties grades and votes to the text.';
comment on column fidelity_passes.answer_sha256 is 'Equal for answers that read alike.';
comment on column fidelity_passes.has_answer is 'Whether there is anything but space in the answer.';
comment on column fidelity_passes.answer_chars is 'Characters of the answer.';
comment on column fidelity_passes.reasoning_chars is 'Characters of the reasoning.';
comment on column fidelity_passes.reference_id is 'The build it is measured against.';
