-- What all checks say of one output. Broken is what nobody can use: no text, markers of a template, endless repetition,
-- the wrong language. Being cut off is not: at the plan's limits that is expected. A puzzle that can be read in two ways
-- (agrees, differs) and a check that was not run decide nothing.
create or replace view output_quality as
with
counted as (
    select
        run_id,
        op_index,
        any_value(op) as op,
        any_value(build_id) as build_id,
        any_value(prompt_id) as prompt_id,
        any_value(prompt_sha256) as prompt_sha256,
        any_value(repeat) as repeat,
        string_agg(check_id, ', ' order by check_id) filter (tier = 'Q0' and outcome = 'fail' and check_id != 'truncated') as flaws,
        coalesce(bool_or(check_id = 'truncated' and outcome = 'fail'), false) as is_truncated,
        count(*) filter (tier = 'Q1' and outcome in ('pass', 'partial', 'fail', 'unparsed')) as judged,
        count(*) filter (tier = 'Q1' and outcome = 'pass') as passed,
        count(*) filter (tier = 'Q1' and outcome = 'fail') as failed,
        count(*) filter (tier = 'Q1' and outcome = 'unparsed') as unparsed,
        count(*) filter (tier = 'Q1' and outcome = 'not run') as not_run,
        any_value(outcome order by check_id) filter (outcome in ('agrees', 'differs')) as opinion,
        string_agg(
            check_id || ' ' || outcome || coalesce(': ' || detail, ''), '; ' order by tier, check_id
        ) filter (tier = 'Q1' or (outcome = 'fail')) as details
    from stg_grades
    group by run_id, op_index
)
select
    run_id, op_index, op, build_id, prompt_id, prompt_sha256, repeat,
    flaws is not null as is_broken,
    flaws,
    is_truncated,
    case
        when flaws is not null then 'broken'
        when judged = 0 and not_run > 0 then 'not run'
        when judged = 0 then opinion
        when failed > 0 then 'fail'
        when passed = judged then 'pass'
        when unparsed > 0 then 'unparsed'
        else 'partial'
    end as outcome,
    judged > 0 or (flaws is not null and op = 'quality' and not_run = 0) as is_judged,
    opinion,
    details
from counted;

comment on view output_quality is 'One row per graded output: what its checks say together.';
comment on column output_quality.run_id is 'The run.';
comment on column output_quality.op_index is 'Place among the run''s operations.';
comment on column output_quality.op is 'request, quality or fidelity.';
comment on column output_quality.build_id is 'The build that wrote it.';
comment on column output_quality.prompt_id is 'The prompt''s name in its suite.';
comment on column output_quality.prompt_sha256 is 'Hash of text, material and token limit.';
comment on column output_quality.repeat is 'Which repeat of the prompt.';
comment on column output_quality.is_broken is 'Whether any validity check but `truncated` failed.';
comment on column output_quality.flaws is 'Which did.';
comment on column output_quality.is_truncated is 'Cut off by the token limit.';
comment on column output_quality.outcome is 'broken, else of its checks together: pass (all), fail (any), unparsed, partial; not run; agrees or differs (a puzzle with two readings); NULL: nothing was asked.';
comment on column output_quality.is_judged is 'Whether it counts as a judged answer of the quality pass.';
comment on column output_quality.opinion is 'agrees or differs, where the prompt is such a puzzle.';
comment on column output_quality.details is 'What the checks say; untrusted.';
