-- A configuration is as good as its build: what a model writes does not hang on context length, suite or slots.
create or replace view configuration_quality as
select distinct
    outputs.configuration_id,
    quality.gate,
    quality.reason,
    quality.passed_count,
    quality.prompt_count,
    quality.passed_share,
    quality.passed_share_low,
    quality.passed_share_high
from (select distinct configuration_id, build_id from stg_outputs) as outputs
inner join build_quality as quality using (build_id);

comment on view configuration_quality is 'One row per configuration with graded outputs.';
comment on column configuration_quality.configuration_id is 'The configuration.';
comment on column configuration_quality.gate is 'pass, warn, fail or unproven.';
comment on column configuration_quality.reason is 'Why.';
comment on column configuration_quality.passed_count is 'Prompts passed by its build.';
comment on column configuration_quality.prompt_count is 'Prompts judged.';
comment on column configuration_quality.passed_share is 'Passed prompts ÷ prompts.';
comment on column configuration_quality.passed_share_low is 'Lower end of Wilson''s 95 % interval.';
comment on column configuration_quality.passed_share_high is 'Upper end of it.';
