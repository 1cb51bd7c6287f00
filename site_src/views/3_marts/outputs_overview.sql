create or replace view outputs_overview as
with
counted as (
    select
        machine,
        count(*) as output_count,
        count(distinct build_id) as build_count,
        count(distinct prompt_sha256) as prompt_count,
        count(*) filter (outcome = 'pass') as passed_count,
        count(*) filter (outcome in ('fail', 'partial', 'unparsed')) as failed_count,
        count(*) filter (outcome = 'broken') as broken_count,
        count(*) filter (outcome is null or outcome in ('not run', 'agrees', 'differs')) as open_count
    from outputs
    group by machine
)
select
    machines.machine,
    coalesce(output_count, 0) as output_count,
    coalesce(build_count, 0) as build_count,
    coalesce(prompt_count, 0) as prompt_count,
    coalesce(passed_count, 0) as passed_count,
    coalesce(failed_count, 0) as failed_count,
    coalesce(broken_count, 0) as broken_count,
    coalesce(open_count, 0) as open_count
from (select 1 as one)
left join machines on true
left join counted using (machine)
order by machines.place;

comment on view outputs_overview is 'One row per machine, or one without before anything was measured: what stands side by side.';
comment on column outputs_overview.machine is 'Chip, GPU cores, memory; NULL before anything was measured.';
comment on column outputs_overview.output_count is 'Outputs shown, one for each build and prompt.';
comment on column outputs_overview.build_count is 'Builds they are of.';
comment on column outputs_overview.prompt_count is 'Prompts they answer.';
comment on column outputs_overview.passed_count is 'Those that pass all checks.';
comment on column outputs_overview.failed_count is 'Those that fail a check, pass it in part, or hold no answer to it.';
comment on column outputs_overview.broken_count is 'Those without text, with template markers, in a loop or in the wrong language.';
comment on column outputs_overview.open_count is 'Those that nothing judged: no check, not graded, not run, or a puzzle with two readings.';
