-- A build is what outputs are pooled over: the same weights in the same engine with the same sampling, whatever the
-- context, the suite and the versions. At temperature 0 (`fidelity`) the sampling is another.
create or replace view stg_outputs as
with
of_runs as materialized (
    select
        run_id, run_started_at, configuration_id, label, machine, contributor, server, endpoint, runtime, model, quantization, bits,
        file_bytes, sampling,
        left(md5(concat_ws('|', machine, server, endpoint, runtime, model, quantization, sampling)), 12) as build_id
    from stg_runs
)
select
    raw.run_id,
    raw.op_index,
    raw.op,
    of_runs.run_started_at,
    of_runs.configuration_id,
    of_runs.build_id,
    of_runs.label as build_label,
    of_runs.machine, of_runs.contributor, of_runs.server, of_runs.endpoint, of_runs.runtime, of_runs.model, of_runs.quantization,
    of_runs.bits, of_runs.file_bytes, of_runs.sampling,
    raw.prompt_id,
    raw.prompt_category,
    raw.prompt_sha256,
    raw.repeat,
    raw.nonce,
    raw.max_tokens,
    raw.finish_reason,
    texts.text_sha256,
    texts.answer_sha256,
    texts.has_answer,
    texts.answer_chars,
    texts.reasoning_chars
from raw_facts as raw
inner join of_runs using (run_id)
inner join stg_texts as texts using (run_id, op_index)
where raw.op in ('request', 'quality', 'fidelity') and not coalesce(is_failure(raw.error_kind), false);

comment on view stg_outputs is 'One row per output that a request brought: timed requests, the quality pass and the fidelity pass.';
comment on column stg_outputs.run_id is 'The run.';
comment on column stg_outputs.op_index is 'Place among the run''s operations.';
comment on column stg_outputs.op is 'request: timed, cut off at the plan''s limits; quality: with a raised limit; fidelity: at temperature 0.';
comment on column stg_outputs.run_started_at is 'When the run began, UTC.';
comment on column stg_outputs.configuration_id is 'Its configuration.';
comment on column stg_outputs.build_id is 'Equal for outputs of the same machine, server, endpoint, engine, model, quantization and sampling.';
comment on column stg_outputs.build_label is 'Model, quantization, engine.';
comment on column stg_outputs.machine is 'Chip, GPU cores, memory.';
comment on column stg_outputs.server is 'The program that answered.';
comment on column stg_outputs.endpoint is 'Path that requests went to.';
comment on column stg_outputs.runtime is 'Engine that ran the model.';
comment on column stg_outputs.model is 'The model, by models.csv.';
comment on column stg_outputs.quantization is 'As the server or the file names it.';
comment on column stg_outputs.bits is 'Nominal bits per weight.';
comment on column stg_outputs.file_bytes is 'Size of the weights in bytes.';
comment on column stg_outputs.sampling is 'Sampling parameters of the run''s timed requests.';
comment on column stg_outputs.prompt_id is 'The prompt''s name in its suite.';
comment on column stg_outputs.prompt_category is 'What kind of prompt it is.';
comment on column stg_outputs.prompt_sha256 is 'Hash of text, material and token limit.';
comment on column stg_outputs.repeat is 'Which repeat of the prompt, from 1; quality passes of a configuration count on.';
comment on column stg_outputs.nonce is 'Six digits the request began with.';
comment on column stg_outputs.max_tokens is 'Token limit sent.';
comment on column stg_outputs.finish_reason is 'Why generation ended.';
comment on column stg_outputs.text_sha256 is 'Hash of reasoning and answer, which ties grades and votes to the text.';
comment on column stg_outputs.answer_sha256 is 'Equal for answers that read alike.';
comment on column stg_outputs.has_answer is 'Whether there is anything but space in the answer.';
comment on column stg_outputs.answer_chars is 'Characters of the answer.';
comment on column stg_outputs.reasoning_chars is 'Characters of the reasoning.';
comment on column stg_outputs.contributor is 'Whose run it is; NULL is this repository''s own.';
