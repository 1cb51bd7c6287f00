create or replace view quality as
select
    builds.build_id, builds.label, builds.machine, builds.server, builds.model, builds.runtime, builds.quantization, builds.bits,
    coalesce(quality.gate, 'unproven') as gate,
    coalesce(quality.passed_count, 0) as passed_count,
    coalesce(quality.prompt_count, 0) as prompt_count,
    quality.passed_share, quality.passed_share_low, quality.passed_share_high,
    quality.passed_once_count, quality.passed_always_count,
    coalesce(quality.judged_count, 0) as judged_count,
    quality.failed_prompts,
    coalesce(quality.broken_count, 0) as broken_count,
    coalesce(quality.output_count + quality.timed_count, 0) as graded_count,
    coalesce(quality.broken_prompt_count, 0) as broken_prompt_count,
    coalesce(quality.graded_prompt_count, 0) as graded_prompt_count,
    quality.broken_prompts,
    coalesce(quality.truncated_count, 0) as truncated_count,
    coalesce(quality.not_run_count, 0) as not_run_count,
    quality.agrees_count, quality.opinion_count,
    coalesce(quality.reason, 'nothing is graded: `collect grade`') as reason
from builds
left join build_quality as quality using (build_id)
order by builds.machine, builds.model, builds.runtime, builds.bits desc nulls last, builds.file_bytes desc, builds.build_id;

comment on view quality is 'One row per build: which of its outputs are usable, and how many prompts pass their checks. Checks, not a score.';
comment on column quality.build_id is 'Equal for the same machine, server, engine, model, quantization and sampling.';
comment on column quality.label is 'Model, quantization, engine.';
comment on column quality.machine is 'Chip, GPU cores, memory.';
comment on column quality.server is 'The program that answered.';
comment on column quality.model is 'The model.';
comment on column quality.runtime is 'The engine.';
comment on column quality.quantization is 'As the server or the file names it.';
comment on column quality.bits is 'Nominal bits per weight.';
comment on column quality.gate is 'pass: nothing broken and surely 70 % of prompts passed; fail: a prompt mostly broken, or surely fewer; warn: single broken outputs or answers that do not end; unproven: too few prompts to tell.';
comment on column quality.passed_count is 'Prompts of which more than half of the judged answers passed.';
comment on column quality.prompt_count is 'Prompts with a judged answer.';
comment on column quality.passed_share is 'Passed prompts ÷ prompts.';
comment on column quality.passed_share_low is 'Lower end of Wilson''s 95 % interval.';
comment on column quality.passed_share_high is 'Upper end of it.';
comment on column quality.passed_once_count is 'Prompts of which any answer passed.';
comment on column quality.passed_always_count is 'Prompts of which all answers passed.';
comment on column quality.judged_count is 'Judged answers; repeats of a prompt are no further questions.';
comment on column quality.failed_prompts is 'Prompts that did not pass.';
comment on column quality.broken_count is 'Outputs without text, with template markers, in a loop or in the wrong language.';
comment on column quality.graded_count is 'Outputs that were graded, timed ones included.';
comment on column quality.broken_prompt_count is 'Prompts that are broken more often than not.';
comment on column quality.graded_prompt_count is 'Prompts with a graded output.';
comment on column quality.broken_prompts is 'Which these are, and how.';
comment on column quality.truncated_count is 'Answers of the quality pass that were cut off in spite of the raised limit.';
comment on column quality.not_run_count is 'Programs that were not run for want of a sandbox: neither passed nor failed.';
comment on column quality.agrees_count is 'Answers that agree with the number the puzzle intends; not in the gate.';
comment on column quality.opinion_count is 'Answers to that puzzle.';
comment on column quality.reason is 'What the gate rests on.';
