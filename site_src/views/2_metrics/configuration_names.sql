-- A picture needs a name for each row. Model and quantization are one while nothing else on the machine has both; else what
-- may differ is added: engine, suite, context, server, and a number where even these are the same.
create or replace view configuration_names as
with
spelled as (
    select
        configuration_id, machine,
        concat(model, ' ', quantization) as short_name,
        concat_ws(' · ', label, suite, if(context_effective is null, null, format('{:,} tokens', context_effective)), server)
            as long_name
    from configurations
    where not is_ladder
),
placed as (
    select
        *,
        count(*) over (partition by machine, short_name) as same_count,
        row_number() over (partition by machine, long_name order by configuration_id) as place
    from spelled
)
select
    configuration_id,
    if(same_count = 1, short_name, long_name || if(place = 1, '', format(' ({})', place))) as configuration_name
from placed;

comment on view configuration_names is 'One row per configuration with a suite: a name that no other on the machine has.';
comment on column configuration_names.configuration_id is 'The configuration.';
comment on column configuration_names.configuration_name is 'Model and quantization; with engine, suite, context and server where several share these.';
