create or replace view quality_overview as
with
counted as (
    select
        machine,
        count(*) as build_count,
        count(*) filter (graded_count > 0) as graded_build_count,
        count(*) filter (judged_count > 0) as judged_build_count,
        count(*) filter (gate = 'pass') as pass_count,
        count(*) filter (gate = 'warn') as warn_count,
        count(*) filter (gate = 'fail') as fail_count,
        count(*) filter (gate = 'unproven' and graded_count > 0) as unproven_count,
        string_agg(label || if(
            broken_prompt_count > 0, format(' (broken on {} of {} prompts)', broken_prompt_count, graded_prompt_count),
            format(' ({} of {} prompts passed)', passed_count, prompt_count)
        ), ', ' order by label) filter (gate = 'fail') as failed,
        string_agg(
            label || format(' ({} of {} outputs broken, {} cut off)', broken_count, graded_count, truncated_count),
            ', ' order by label
        ) filter (gate = 'warn') as warned,
        sum(graded_count)::bigint as graded_count,
        sum(broken_count)::bigint as broken_count,
        max(prompt_count) as prompt_count,
        sum(not_run_count)::bigint as not_run_count
    from quality
    group by machine
)
select
    machines.machine,
    coalesce(build_count, 0) as build_count,
    coalesce(graded_build_count, 0) as graded_build_count,
    coalesce(judged_build_count, 0) as judged_build_count,
    coalesce(pass_count, 0) as pass_count,
    coalesce(warn_count, 0) as warn_count,
    coalesce(fail_count, 0) as fail_count,
    coalesce(unproven_count, 0) as unproven_count,
    failed,
    warned,
    coalesce(graded_count, 0) as graded_count,
    coalesce(broken_count, 0) as broken_count,
    coalesce(prompt_count, 0) as prompt_count,
    coalesce(not_run_count, 0) as not_run_count
from (select 1 as one)
left join machines on true
left join counted using (machine)
order by machines.place;

comment on view quality_overview is 'One row per machine, or one without before anything was measured: what is known of the outputs of its builds.';
comment on column quality_overview.machine is 'Chip, GPU cores, memory; NULL before anything was measured.';
comment on column quality_overview.build_count is 'Builds with stored outputs.';
comment on column quality_overview.graded_build_count is 'Those with graded outputs.';
comment on column quality_overview.judged_build_count is 'Those with judged answers of a quality pass.';
comment on column quality_overview.pass_count is 'Builds that pass the gate.';
comment on column quality_overview.warn_count is 'Builds with single broken outputs, or answers that do not end.';
comment on column quality_overview.fail_count is 'Builds that fail the gate.';
comment on column quality_overview.unproven_count is 'Builds with graded outputs of which nothing is proven.';
comment on column quality_overview.failed is 'Which fail, and why.';
comment on column quality_overview.warned is 'Which warn, and why.';
comment on column quality_overview.graded_count is 'Graded outputs.';
comment on column quality_overview.broken_count is 'Broken ones.';
comment on column quality_overview.prompt_count is 'Most prompts judged of a build.';
comment on column quality_overview.not_run_count is 'Programs that were not run for want of a sandbox.';
