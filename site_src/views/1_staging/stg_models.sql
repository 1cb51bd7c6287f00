create or replace view stg_models as
select
    model,
    unnest(string_split_regex(trim(aliases), '\s+')) as alias,
    cast(parameters_total_b as double) as parameters_total_b,
    cast(parameters_active_b as double) as parameters_active_b,
    cast(context_advertised as bigint) as context_advertised,
    string_split_regex(trim(suites), '\s+') as suites
from raw_models;

comment on view stg_models is 'One row per alias of a model in models.csv.';
comment on column stg_models.model is 'The name that all views use.';
comment on column stg_models.alias is 'A glob over the lower-case key without publisher, variant, format and quantization.';
comment on column stg_models.parameters_total_b is 'Weights in all, in billions.';
comment on column stg_models.parameters_active_b is 'Weights used per token, in billions.';
comment on column stg_models.context_advertised is 'Advertised context in tokens.';
comment on column stg_models.suites is 'Suites this model runs by default.';
