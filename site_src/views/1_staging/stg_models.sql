create or replace view stg_models as
select
    model,
    unnest(string_split_regex(trim(aliases), '\s+')) as alias,
    cast(parameters_total_b as double) as parameters_total_b,
    cast(parameters_active_b as double) as parameters_active_b,
    cast(context_advertised as bigint) as context_advertised,
    string_split_regex(trim(suites), '\s+') as suites,
    cast(layers as integer) as layers,
    cast(full_attention_layers as integer) as full_attention_layers,
    cast(kv_heads as integer) as kv_heads,
    cast(head_dim as integer) as head_dim,
    cast(hidden_size as integer) as hidden_size,
    cast(experts as integer) as experts,
    cast(experts_active as integer) as experts_active,
    -- Weights read for a token: experts, attention, router, output layer; of a model of another build the given figure.
    coalesce(
        cast(weights_per_token_b as double),
        if(layers = full_attention_layers, (
            layers::double * (
                experts_active::double * 3 * hidden_size::double * expert_size::double
                + hidden_size::double * head_dim::double * 2 * (attention_heads::double + kv_heads::double)
                + hidden_size::double * experts::double
            )
            + hidden_size::double * vocabulary::double
        ) / 1e9, null),
        cast(parameters_active_b as double)
    ) as weights_per_token_b,
    -- keys and values of two bytes each, in the layers that keep a cache
    cast(2 * 2 * cast(full_attention_layers as bigint) * cast(kv_heads as bigint) * cast(head_dim as bigint) as bigint)
        as kv_bytes_per_token,
    source
from raw_models;

comment on view stg_models is 'One row per alias of a model in models.csv.';
comment on column stg_models.model is 'The name that all views use.';
comment on column stg_models.alias is 'A glob over the lower-case key without publisher, variant, format and quantization.';
comment on column stg_models.parameters_total_b is 'Weights in all, in billions.';
comment on column stg_models.parameters_active_b is 'Weights used per token, in billions.';
comment on column stg_models.context_advertised is 'Advertised context in tokens.';
comment on column stg_models.suites is 'Suites this model runs by default.';
comment on column stg_models.layers is 'Layers in all.';
comment on column stg_models.full_attention_layers is 'Layers that keep a key-value cache.';
comment on column stg_models.kv_heads is 'Key-value heads of such a layer.';
comment on column stg_models.head_dim is 'Dimensions of a head.';
comment on column stg_models.hidden_size is 'Width of the model.';
comment on column stg_models.experts is 'Experts of a layer; NULL for a dense model.';
comment on column stg_models.experts_active is 'Experts used per token, shared ones included.';
comment on column stg_models.kv_bytes_per_token is 'Key-value cache for a token of context at 16 bits, in bytes.';
comment on column stg_models.source is 'Where these facts are from.';
comment on column stg_models.weights_per_token_b is 'Weights read from memory for each token, in billions.';
