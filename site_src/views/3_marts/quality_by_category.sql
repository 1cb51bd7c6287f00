-- Builds of one model are no independent witnesses: what many of them fail, the model fails. On a machine with runs through
-- LM Studio only these count. A kind of prompt of which no output was judged or broken says nothing, and is left out.
create or replace view quality_by_category as
with
counted as (
    select
        prompts.machine, prompts.model, prompts.prompt_kind, prompts.verdict,
        count(*) as build_count,
        count(distinct prompts.prompt_sha256) as prompt_count,
        sum(prompts.judged_count)::bigint as judged_count
    from quality_by_prompt as prompts
    inner join machines on machines.machine = prompts.machine and (not is_plan or prompts.server = 'lmstudio')
    group by prompts.machine, prompts.model, prompts.prompt_kind, prompts.verdict
)
select
    *,
    (sum(build_count) over same)::bigint as all_build_count,
    build_count / sum(build_count) over same as build_share,
    if(row_number() over (partition by machine, model, prompt_kind order by verdict) = 1, model, null) as name_shown
from counted
window same as (partition by machine, model, prompt_kind)
qualify count(*) filter (verdict != 'not judged') over (partition by machine, prompt_kind) > 0
order by machine, prompt_kind, model, verdict;

comment on view quality_by_category is 'One row per machine, model, kind of prompt and verdict: how many of its builds it is of.';
comment on column quality_by_category.machine is 'Chip, GPU cores, memory.';
comment on column quality_by_category.model is 'The model.';
comment on column quality_by_category.prompt_kind is 'What kind of prompt it is.';
comment on column quality_by_category.verdict is 'What most outputs of a prompt are: broken, pass, fail, agrees, differs, not run, not judged.';
comment on column quality_by_category.build_count is 'Builds, a quantization in an engine, of which that is so; each prompt of this kind counts.';
comment on column quality_by_category.prompt_count is 'Different prompts among them.';
comment on column quality_by_category.judged_count is 'Answers that were judged.';
comment on column quality_by_category.all_build_count is 'Builds of this model with such a prompt, whatever became of it.';
comment on column quality_by_category.build_share is 'Share of builds.';
comment on column quality_by_category.name_shown is 'The model, in the first of its rows for a kind of prompt: a name stands once above its bar.';
