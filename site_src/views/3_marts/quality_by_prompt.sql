create or replace view quality_by_prompt as
with
categories as (
    select prompt_sha256, any_value(prompt_category order by run_id) as category from stg_outputs group by prompt_sha256
)
select
    builds.build_id, builds.label, builds.machine, builds.server, builds.model, builds.runtime, builds.quantization, builds.bits,
    prompts.prompt_id, prompts.prompt_sha256,
    case category
        when '简短问答' then 'short answer'
        when '代码生成' then 'code'
        when '长文本生成' then 'long text'
        when '逻辑推理' then 'reasoning'
        when '指令跟随' then 'code review'
        when '代码代理' then 'coding agent'
        when '多文件操作' then 'several files'
        else coalesce(category, 'other')
    end as prompt_kind,
    case
        when prompts.is_broken then 'broken'
        when prompts.is_passed then 'pass'
        when not prompts.is_passed then 'fail'
        when prompts.opinion_count > 0 then if(2 * prompts.agrees_count > prompts.opinion_count, 'agrees', 'differs')
        when prompts.not_run_count > 0 then 'not run'
        else 'not judged'
    end as verdict,
    prompts.outcomes,
    prompts.passed_count, prompts.judged_count, prompts.output_count, prompts.timed_count, prompts.broken_count,
    prompts.truncated_count, prompts.flaws, prompts.details as reason
from prompt_quality as prompts
inner join builds using (build_id)
left join categories using (prompt_sha256)
order by builds.machine, builds.model, builds.runtime, builds.bits desc nulls last, builds.build_id, prompts.prompt_id, prompts.prompt_sha256;

comment on view quality_by_prompt is 'One row per build and prompt: the outcome of every repeat, and of most of them.';
comment on column quality_by_prompt.build_id is 'The build.';
comment on column quality_by_prompt.label is 'Model, quantization, engine.';
comment on column quality_by_prompt.machine is 'Chip, GPU cores, memory.';
comment on column quality_by_prompt.server is 'The program that answered.';
comment on column quality_by_prompt.prompt_kind is 'What kind of prompt it is: the plan''s categories in English, else the suite''s own word.';
comment on column quality_by_prompt.model is 'The model.';
comment on column quality_by_prompt.runtime is 'The engine.';
comment on column quality_by_prompt.quantization is 'As the server or the file names it.';
comment on column quality_by_prompt.bits is 'Nominal bits per weight.';
comment on column quality_by_prompt.prompt_id is 'The prompt.';
comment on column quality_by_prompt.prompt_sha256 is 'Hash of text, material and token limit.';
comment on column quality_by_prompt.verdict is 'Of more than half of the outputs: broken, pass, fail; agrees or differs for a puzzle with two readings; not run; not judged: only timed, cut-off texts, or no check.';
comment on column quality_by_prompt.outcomes is 'Outcome of each answer of the quality pass, by repeat.';
comment on column quality_by_prompt.passed_count is 'Answers that passed.';
comment on column quality_by_prompt.judged_count is 'Answers that were judged.';
comment on column quality_by_prompt.output_count is 'Answers of quality passes.';
comment on column quality_by_prompt.timed_count is 'Outputs of timed requests, graded for validity only.';
comment on column quality_by_prompt.broken_count is 'Broken outputs of either kind.';
comment on column quality_by_prompt.truncated_count is 'Answers that were cut off in spite of the raised limit.';
comment on column quality_by_prompt.flaws is 'What is wrong with broken ones.';
comment on column quality_by_prompt.reason is 'What the checks say of the latest answer; untrusted.';
