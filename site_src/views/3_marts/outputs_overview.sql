create or replace view outputs_overview as
select
    count(*) as output_count,
    count(distinct build_id) as build_count,
    count(distinct prompt_sha256) as prompt_count,
    count(*) filter (outcome = 'pass') as passed_count,
    count(*) filter (outcome in ('fail', 'partial', 'unparsed')) as failed_count,
    count(*) filter (outcome = 'broken') as broken_count,
    count(*) filter (outcome is null or outcome in ('not run', 'agrees', 'differs')) as open_count
from outputs;

comment on view outputs_overview is 'One row: what stands side by side.';
comment on column outputs_overview.output_count is 'Outputs shown, one for each build and prompt.';
comment on column outputs_overview.build_count is 'Builds they are of.';
comment on column outputs_overview.prompt_count is 'Prompts they answer.';
comment on column outputs_overview.passed_count is 'Those that pass all checks.';
comment on column outputs_overview.failed_count is 'Those that fail a check, pass it in part, or hold no answer to it.';
comment on column outputs_overview.broken_count is 'Those without text, with template markers, in a loop or in the wrong language.';
comment on column outputs_overview.open_count is 'Those that nothing judged: no check, not graded, not run, or a puzzle with two readings.';
