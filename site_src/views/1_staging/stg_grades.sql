-- Of several grades of one output by one check the newest version of the grader counts, and of that a check that was run
-- before one that was not, then the latest. A grade whose hash is not that of the stored text is none, nor is one that could
-- not be given again: by a grader, in a version or for a check that there is not. Whoever brought the output may grade it.
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
inner join stg_runs using (run_id)
inner join raw_graders as graders
    on graders.grader = grades.grader and graders.tier = grades.tier and graders.version >= grades.grader_version
where
    (grades.contributor is null or grades.contributor = stg_runs.contributor)
    and if(
        grades.tier = 'Q0', grades.check_id = grades.grader,
        (grades.grader, grades.check_id, grades.check_sha256) in (select (grader, check_id, check_sha256) from raw_checks)
    )
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
