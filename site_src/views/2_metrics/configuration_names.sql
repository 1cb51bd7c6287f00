-- Two configurations may be the same model in the same engine and still differ, in suite or context say: then its name says so.
create or replace view configuration_names as
with
told as (
    select
        configuration_id, machine, label,
        count(*) over (partition by machine, label) as namesake_count,
        concat_ws(
            ', ', server, suite, format('{:,} tokens', context_effective), parallel || if(parallel = 1, ' slot', ' slots')
        ) as settings
    from configurations
)
select
    configuration_id,
    case
        when namesake_count = 1 then label
        when count(*) over (partition by machine, label, settings) = 1 then format('{} ({})', label, settings)
        else format('{} ({})', label, configuration_id)
    end as name
from told;

comment on view configuration_names is 'One row per configuration: a name that no other one of its machine has.';
comment on column configuration_names.configuration_id is 'The configuration.';
comment on column configuration_names.name is 'Its label; where another one has the same, with the settings that tell them apart, or else its id.';
