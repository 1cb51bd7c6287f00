create or replace view shown_outputs as
select * from stg_outputs
where op in ('quality', 'request')
qualify row_number() over (
    partition by build_id, prompt_sha256
    order by op = 'quality' desc, repeat, run_started_at desc, run_id, op_index
) = 1;

comment on view shown_outputs is 'One row per build and prompt: of its outputs the one that is shown.';
comment on column shown_outputs.run_id is 'The run.';
comment on column shown_outputs.op_index is 'Place among the run''s operations.';
comment on column shown_outputs.op is 'request: timed, cut off at the plan''s limits; quality: with a raised limit; fidelity: at temperature 0.';
comment on column shown_outputs.run_started_at is 'When the run began, UTC.';
comment on column shown_outputs.configuration_id is 'Its configuration.';
comment on column shown_outputs.build_id is 'Equal for outputs of the same machine, server, endpoint, engine, model, quantization and sampling.';
comment on column shown_outputs.build_label is 'Model, quantization, engine.';
comment on column shown_outputs.machine is 'Chip, GPU cores, memory.';
comment on column shown_outputs.server is 'The program that answered.';
comment on column shown_outputs.endpoint is 'Path that requests went to.';
comment on column shown_outputs.runtime is 'Engine that ran the model.';
comment on column shown_outputs.model is 'The model, by models.csv.';
comment on column shown_outputs.quantization is 'As the server or the file names it.';
comment on column shown_outputs.bits is 'Nominal bits per weight.';
comment on column shown_outputs.file_bytes is 'Size of the weights in bytes.';
comment on column shown_outputs.sampling is 'Sampling parameters of the run''s timed requests.';
comment on column shown_outputs.prompt_id is 'The prompt''s name in its suite.';
comment on column shown_outputs.prompt_category is 'What kind of prompt it is.';
comment on column shown_outputs.prompt_sha256 is 'Hash of text, material and token limit.';
comment on column shown_outputs.repeat is 'Which repeat of the prompt, from 1; quality passes of a configuration count on.';
comment on column shown_outputs.nonce is 'Six digits the request began with.';
comment on column shown_outputs.max_tokens is 'Token limit sent.';
comment on column shown_outputs.finish_reason is 'Why generation ended.';
comment on column shown_outputs.text_sha256 is 'Hash of reasoning and answer, which ties grades and votes to the text.';
comment on column shown_outputs.answer_sha256 is 'Equal for answers that read alike.';
comment on column shown_outputs.has_answer is 'Whether there is anything but space in the answer.';
comment on column shown_outputs.answer_chars is 'Characters of the answer.';
comment on column shown_outputs.reasoning_chars is 'Characters of the reasoning.';
