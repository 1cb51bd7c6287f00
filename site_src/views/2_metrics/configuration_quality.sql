-- A configuration is as good as its build: what a model writes does not hang on context length, suite or slots.
create or replace view configuration_quality as
select
    outputs.configuration_id,
    quality.build_id,
    quality.gate,
    quality.reason,
    quality.passed_count,
    quality.prompt_count as checked_count,
    quality.passed_share,
    quality.passed_share_low,
    quality.passed_share_high,
    reference.gate as reference_gate
from (select distinct configuration_id, build_id from stg_outputs) as outputs
inner join build_quality as quality using (build_id)
inner join builds using (build_id)
left join build_quality as reference on reference.build_id = builds.reference_id;

comment on view configuration_quality is 'One row per configuration with graded outputs.';
comment on column configuration_quality.configuration_id is 'The configuration.';
comment on column configuration_quality.build_id is 'Its build, over which outputs are pooled.';
comment on column configuration_quality.gate is 'pass, warn, fail or unproven.';
comment on column configuration_quality.reason is 'Why.';
comment on column configuration_quality.passed_count is 'Prompts passed by its build.';
comment on column configuration_quality.checked_count is 'Prompts judged.';
comment on column configuration_quality.passed_share is 'Passed prompts ÷ prompts.';
comment on column configuration_quality.passed_share_low is 'Lower end of Wilson''s 95 % interval.';
comment on column configuration_quality.passed_share_high is 'Upper end of it.';
comment on column configuration_quality.reference_gate is 'Gate of the highest precision of its model and engine.';
