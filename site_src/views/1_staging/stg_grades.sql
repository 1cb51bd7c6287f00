-- Of several grades of one output by one check the newest version of the grader counts, and of that a check that was run
-- before one that was not, then the latest. A grade whose hash is not that of the stored text is none.
create or replace view stg_grades as
select
    outputs.run_id,
    outputs.op_index,
    outputs.op,
    outputs.build_id,
    outputs.prompt_id,
    outputs.prompt_sha256,
    outputs.repeat,
    grades.check_id,
    grades.tier,
    grades.grader,
    grades.grader_version,
    grades.outcome,
    grades.share,
    grades.detail
from raw_grades as grades
inner join stg_outputs as outputs using (run_id, op_index, text_sha256)
where grades.tier in ('Q0', 'Q1')
qualify row_number() over (
    partition by outputs.run_id, outputs.op_index, grades.check_id
    order by grades.grader_version desc, grades.outcome = 'not run', grades.graded_at desc, grades.file
) = 1;

comment on view stg_grades is 'One row per output and check: what the newest grader found.';
comment on column stg_grades.run_id is 'The run.';
comment on column stg_grades.op_index is 'Place among the run''s operations.';
comment on column stg_grades.op is 'request, quality or fidelity.';
comment on column stg_grades.build_id is 'The build that wrote it.';
comment on column stg_grades.prompt_id is 'The prompt''s name in its suite.';
comment on column stg_grades.prompt_sha256 is 'Hash of text, material and token limit.';
comment on column stg_grades.repeat is 'Which repeat of the prompt.';
comment on column stg_grades.check_id is 'What was asked of the output.';
comment on column stg_grades.tier is 'Q0 validity, Q1 check.';
comment on column stg_grades.grader is 'What graded.';
comment on column stg_grades.grader_version is 'Its version.';
comment on column stg_grades.outcome is 'pass, partial, fail, unparsed, not run, agrees, differs.';
comment on column stg_grades.share is 'Of the things asked for, those found, 0 to 1.';
comment on column stg_grades.detail is 'In words; untrusted.';
