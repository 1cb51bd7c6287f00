-- A picture needs a name for each row. The label is one while nothing else on the machine has it; else what may differ is
-- added: suite, context, server, and a number where even these are the same.
create or replace view configuration_names as
with
spelled as (
    select
        configuration_id, machine, label,
        concat_ws(' · ', label, suite, if(context_effective is null, null, format('{:,} tokens', context_effective)), server)
            as long_name,
        count(*) over (partition by machine, label) as same_label_count
    from configurations
    where not is_ladder
)
select
    configuration_id,
    if(same_label_count = 1, label, long_name || if(place = 1, '', format(' ({})', place))) as configuration_name
from (select *, row_number() over (partition by machine, long_name order by configuration_id) as place from spelled);

comment on view configuration_names is 'One row per configuration with a suite: a name that no other on the machine has.';
comment on column configuration_names.configuration_id is 'The configuration.';
comment on column configuration_names.configuration_name is 'Model, quantization, engine; with suite, context and server where several share these.';
