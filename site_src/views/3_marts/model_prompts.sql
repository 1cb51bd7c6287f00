-- Only builds that may be compared: one machine, server, engine and bit width.
create or replace view model_prompts as
select
    a.machine, a.server, a.runtime, a.bits, a.prompt_id, a.prompt_kind, a.prompt_sha256,
    a.model, b.model as other_model,
    a.quantization, b.quantization as other_quantization,
    a.verdict, b.verdict as other_verdict,
    a.outcomes, b.outcomes as other_outcomes,
    a.passed_count, a.judged_count,
    b.passed_count as other_passed_count, b.judged_count as other_judged_count
from quality_by_prompt as a
inner join quality_by_prompt as b
    on b.machine = a.machine and b.server is not distinct from a.server and b.runtime = a.runtime and b.bits = a.bits
    and b.prompt_sha256 = a.prompt_sha256 and a.model < b.model
where a.verdict != 'not judged' or b.verdict != 'not judged'
order by a.machine, a.model, b.model, a.runtime, a.bits, a.prompt_kind, a.prompt_id, a.build_id, b.build_id;

comment on view model_prompts is 'One row per prompt and two models that both answered it at one runtime and bit width: what became of it.';
comment on column model_prompts.machine is 'Chip, GPU cores, memory.';
comment on column model_prompts.server is 'The program that answered.';
comment on column model_prompts.runtime is 'Engine that ran both.';
comment on column model_prompts.bits is 'Nominal bits per weight of both.';
comment on column model_prompts.prompt_id is 'The prompt.';
comment on column model_prompts.prompt_kind is 'What kind of prompt it is.';
comment on column model_prompts.prompt_sha256 is 'Hash of text, material and token limit.';
comment on column model_prompts.model is 'The first model.';
comment on column model_prompts.other_model is 'The other model.';
comment on column model_prompts.quantization is 'Quantization of the first.';
comment on column model_prompts.other_quantization is 'Quantization of the other.';
comment on column model_prompts.verdict is 'What most outputs of the first are: broken, pass, fail, agrees, differs, not run, not judged.';
comment on column model_prompts.other_verdict is 'The same of the other.';
comment on column model_prompts.outcomes is 'Outcome of each answer of the first, by repeat.';
comment on column model_prompts.other_outcomes is 'The same of the other.';
comment on column model_prompts.passed_count is 'Answers of the first that passed.';
comment on column model_prompts.judged_count is 'Answers of the first that were judged.';
comment on column model_prompts.other_passed_count is 'Answers of the other that passed.';
comment on column model_prompts.other_judged_count is 'Answers of the other that were judged.';
