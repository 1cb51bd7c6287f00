-- Nothing is graded yet: no row, so every gate reads as unproven.
create or replace view configuration_quality as
select configuration_id, null::varchar as gate, null::varchar as reason from configurations where false;

comment on view configuration_quality is 'One row per configuration with graded outputs.';
comment on column configuration_quality.configuration_id is 'The configuration.';
comment on column configuration_quality.gate is 'pass, warn, fail or unproven.';
comment on column configuration_quality.reason is 'Why.';
