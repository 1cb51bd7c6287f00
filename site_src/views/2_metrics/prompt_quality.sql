-- Repeats of a prompt are no further questions: a prompt counts once, by what more than half of its outputs are.
create or replace view prompt_quality as
select
    build_id,
    prompt_sha256,
    any_value(prompt_id order by run_id) as prompt_id,
    count(*) filter (op = 'quality') as output_count,
    count(*) filter (op = 'request') as timed_count,
    count(*) filter (op = 'quality' and is_judged) as judged_count,
    count(*) filter (op = 'quality' and outcome = 'pass') as passed_count,
    count(*) filter (op = 'quality' and is_truncated) as truncated_count,
    count(*) filter (op = 'quality' and outcome = 'not run') as not_run_count,
    count(*) filter (op = 'quality' and opinion = 'agrees') as agrees_count,
    count(*) filter (op = 'quality' and opinion is not null) as opinion_count,
    count(*) filter (is_broken) as broken_count,
    array_to_string(list_sort(list_distinct(flatten(list(string_split(flaws, ', ')) filter (flaws is not null)))), ', ') as flaws,
    if(judged_count = 0, null, 2 * passed_count > judged_count) as is_passed,
    if(judged_count = 0, null, passed_count > 0) as is_passed_once,
    if(judged_count = 0, null, passed_count = judged_count) as is_passed_always,
    2 * broken_count > output_count + timed_count as is_broken,
    string_agg(coalesce(outcome, 'ungraded'), ' ' order by repeat, run_id, op_index) filter (op = 'quality') as outcomes,
    any_value(details order by repeat desc, run_id desc) filter (op = 'quality') as details
from output_quality
where op in ('request', 'quality')
group by build_id, prompt_sha256;

comment on view prompt_quality is 'One row per build and prompt: its graded outputs, timed ones and those of the quality pass.';
comment on column prompt_quality.build_id is 'The build.';
comment on column prompt_quality.prompt_sha256 is 'Hash of text, material and token limit.';
comment on column prompt_quality.prompt_id is 'The prompt''s name in its suite.';
comment on column prompt_quality.output_count is 'Outputs of quality passes.';
comment on column prompt_quality.timed_count is 'Outputs of timed requests: only their validity is graded.';
comment on column prompt_quality.judged_count is 'Outputs of quality passes that a check judged.';
comment on column prompt_quality.passed_count is 'Those that passed all checks and are not broken.';
comment on column prompt_quality.truncated_count is 'Outputs of quality passes that were cut off in spite of the raised limit.';
comment on column prompt_quality.not_run_count is 'Those whose code could not be run.';
comment on column prompt_quality.agrees_count is 'Those that agree with the puzzle''s intended answer.';
comment on column prompt_quality.opinion_count is 'Those in which an answer to the puzzle was found.';
comment on column prompt_quality.broken_count is 'Outputs that are empty, leak a template, repeat themselves or are in the wrong language.';
comment on column prompt_quality.flaws is 'What is wrong with these.';
comment on column prompt_quality.is_passed is 'More than half of the judged outputs passed; NULL: none was judged.';
comment on column prompt_quality.is_passed_once is 'Any of them passed.';
comment on column prompt_quality.is_passed_always is 'All of them passed.';
comment on column prompt_quality.is_broken is 'More than half of all graded outputs are broken.';
comment on column prompt_quality.outcomes is 'The outcome of each output of the quality pass, by repeat.';
comment on column prompt_quality.details is 'What the checks say of the latest repeat; untrusted.';
