-- Of each build and prompt the answer with the raised limit, else the timed one, which may be cut off; of several the first
-- repeat of the latest run, so that neighbors answered the same request where they can.
create or replace view outputs as
select
    outputs.prompt_id, outputs.prompt_category, outputs.prompt_sha256,
    outputs.machine, outputs.model, outputs.runtime, outputs.quantization, outputs.bits, outputs.build_label as label,
    outputs.build_id,
    if(outputs.op = 'quality', 'quality pass', 'timed, cut off at the plan''s limit') as taken_from,
    details.output_text,
    details.reasoning_text,
    outputs.answer_chars,
    outputs.reasoning_chars,
    outputs.max_tokens,
    quality.outcome,
    quality.is_truncated,
    quality.flaws,
    quality.details as reason,
    outputs.repeat, outputs.nonce, outputs.run_id, outputs.op_index
from stg_outputs as outputs
inner join shown_outputs using (run_id, op_index)
left join raw_details as details using (run_id, op_index)
left join output_quality as quality using (run_id, op_index)
order by outputs.prompt_id, outputs.prompt_sha256, outputs.machine, outputs.model, outputs.runtime, outputs.bits desc nulls last, outputs.build_id;

comment on view outputs is 'One row per prompt and build: what it wrote, to be read side by side, with what the checks say.';
comment on column outputs.prompt_id is 'The prompt.';
comment on column outputs.prompt_category is 'What kind of prompt it is.';
comment on column outputs.prompt_sha256 is 'Hash of text, material and token limit.';
comment on column outputs.machine is 'Chip, GPU cores, memory.';
comment on column outputs.model is 'The model.';
comment on column outputs.runtime is 'The engine.';
comment on column outputs.quantization is 'As the server or the file names it.';
comment on column outputs.bits is 'Nominal bits per weight.';
comment on column outputs.label is 'Model, quantization, engine.';
comment on column outputs.build_id is 'The build.';
comment on column outputs.taken_from is 'Whether it could end by itself.';
comment on column outputs.output_text is 'The answer; untrusted.';
comment on column outputs.reasoning_text is 'The reasoning; untrusted.';
comment on column outputs.answer_chars is 'Characters of the answer.';
comment on column outputs.reasoning_chars is 'Characters of the reasoning.';
comment on column outputs.max_tokens is 'Token limit sent.';
comment on column outputs.outcome is 'What its checks say together; NULL: nothing was asked, or not graded.';
comment on column outputs.is_truncated is 'Cut off by the token limit.';
comment on column outputs.flaws is 'What is broken.';
comment on column outputs.reason is 'What the checks say; untrusted.';
comment on column outputs.repeat is 'Which repeat of the prompt.';
comment on column outputs.nonce is 'Six digits the request began with; equal digits are the same request.';
comment on column outputs.run_id is 'The run.';
comment on column outputs.op_index is 'Place among the run''s operations.';
