-- The gate counts prompts. pass: no output is broken, and the rate of passed prompts is surely 70 % or more (nine of nine).
-- fail: a prompt is broken more often than not, or the rate is surely below 70 %. warn: single broken outputs, or answers
-- that do not end. What remains is unproven: the prompts are too few to tell.
create or replace view build_quality as
with
counted as (
    select
        build_id,
        count(*) filter (judged_count > 0) as prompt_count,
        count(*) filter (is_passed) as passed_count,
        count(*) filter (is_passed_once) as passed_once_count,
        count(*) filter (is_passed_always) as passed_always_count,
        sum(judged_count)::bigint as judged_count,
        sum(output_count)::bigint as output_count,
        sum(timed_count)::bigint as timed_count,
        sum(broken_count)::bigint as broken_count,
        sum(truncated_count)::bigint as truncated_count,
        sum(not_run_count)::bigint as not_run_count,
        sum(agrees_count)::bigint as agrees_count,
        sum(opinion_count)::bigint as opinion_count,
        count(*) filter (is_broken) as broken_prompt_count,
        count(*) as graded_prompt_count,
        string_agg(prompt_id || ' (' || flaws || ')', ', ' order by prompt_id) filter (is_broken) as broken_prompts,
        string_agg(prompt_id || ' (' || flaws || ')', ', ' order by prompt_id) filter (broken_count > 0) as flawed_prompts,
        string_agg(prompt_id, ', ' order by prompt_id) filter (not is_passed) as failed_prompts,
        count(*) filter (2 * truncated_count > output_count) as endless_count
    from prompt_quality
    group by build_id
),
rated as (
    select
        *,
        passed_count / nullif(prompt_count, 0) as passed_share,
        wilson_low(passed_count, prompt_count) as passed_share_low,
        wilson_high(passed_count, prompt_count) as passed_share_high
    from counted
)
select
    *,
    case
        when broken_prompt_count > 0 and broken_count > 1 then 'fail'
        when passed_share_high < 0.7 then 'fail'
        when broken_count > 0 or endless_count > 0 then 'warn'
        when passed_share_low >= 0.7 then 'pass'
        else 'unproven'
    end as gate,
    concat_ws(
        '; ',
        if(broken_prompt_count > 0, 'broken: ' || broken_prompts, if(broken_count > 0, format('{} of {} outputs broken: {}', broken_count, output_count + timed_count, flawed_prompts), null)),
        if(endless_count > 0, if(endless_count = 1, '1 prompt does', endless_count || ' prompts do') || ' not end within the limit', null),
        case
            when output_count = 0 then 'no quality pass: `collect --quality`'
            when prompt_count = 0 then 'no answer could be checked'
            else format('{} of {} prompts passed', passed_count, prompt_count)
        end,
        if(gate = 'unproven' and prompt_count between 1 and 8 and passed_count = prompt_count, if(prompt_count = 1, '1 prompt is', prompt_count || ' prompts are') || ' too few to prove 70 %', null),
        if(not_run_count > 0, if(not_run_count = 1, '1 program was', not_run_count || ' programs were') || ' not run', null)
    ) as reason
from rated;

comment on view build_quality is 'One row per build with graded outputs: the quality gate and what it rests on.';
comment on column build_quality.build_id is 'The build.';
comment on column build_quality.prompt_count is 'Prompts with a judged answer: n of the rate.';
comment on column build_quality.passed_count is 'Prompts of which more than half of the judged answers passed.';
comment on column build_quality.passed_once_count is 'Prompts of which any answer passed.';
comment on column build_quality.passed_always_count is 'Prompts of which all answers passed.';
comment on column build_quality.judged_count is 'Judged answers, repeats included.';
comment on column build_quality.output_count is 'Outputs of quality passes.';
comment on column build_quality.timed_count is 'Graded outputs of timed requests.';
comment on column build_quality.broken_count is 'Outputs of either kind that are broken.';
comment on column build_quality.truncated_count is 'Outputs of quality passes that were cut off.';
comment on column build_quality.not_run_count is 'Programs that were not run for want of a sandbox.';
comment on column build_quality.agrees_count is 'Answers that agree with the puzzle''s intended one; the gate does not count them.';
comment on column build_quality.opinion_count is 'Of so many.';
comment on column build_quality.broken_prompt_count is 'Prompts of which more than half of the outputs are broken.';
comment on column build_quality.graded_prompt_count is 'Prompts with a graded output.';
comment on column build_quality.broken_prompts is 'Which, and how.';
comment on column build_quality.flawed_prompts is 'Prompts with any broken output, and how.';
comment on column build_quality.failed_prompts is 'Prompts that did not pass.';
comment on column build_quality.endless_count is 'Prompts of which more than half of the answers did not end within the raised limit.';
comment on column build_quality.passed_share is 'Passed prompts ÷ prompts.';
comment on column build_quality.passed_share_low is 'Lower end of Wilson''s 95 % interval.';
comment on column build_quality.passed_share_high is 'Upper end of it.';
comment on column build_quality.gate is 'pass, warn, fail or unproven.';
comment on column build_quality.reason is 'Why.';
