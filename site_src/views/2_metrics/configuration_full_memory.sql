-- Peak at full context: measured by a ladder, else the short peak and what the cache still has to grow. MLX grows its
-- cache on demand; llama.cpp allocates all of it when loading, so its short peak holds it already.
create or replace view configuration_full_memory as
with
short as (
    select
        configuration_id, ladder_id, model, runtime, context_effective, peak_memory_gb as peak_short_gb, peak_memory_kind,
        memory_confidence
    from (
        select
            configuration_id, any_value(ladder_id) as ladder_id, any_value(model) as model, any_value(runtime) as runtime,
            any_value(context_effective) as context_effective
        from stg_runs
        where suite is distinct from 'context' and server is distinct from 'llama-bench'
        group by configuration_id
    ) as known
    left join configuration_memory using (configuration_id)
),
lengths as (
    select configuration_id, max(prompt_tokens + completion_tokens) as tokens
    from stg_requests
    inner join stg_runs using (run_id)
    group by configuration_id
),
known as (
    select distinct model, kv_bytes_per_token from stg_models
)
select * exclude (seen_gb, is_measured)
from (
    select
        short.configuration_id,
        peak_short_gb,
        greatest(ladder_memory.peak_memory_gb, peak_short_gb) as seen_gb,
        -- a ladder keeps a reserve free for template and answer
        ladder_memory.peak_memory_gb is not null and (runtime = 'llama.cpp' or ladder_memory.depth >= 0.95 * context_effective) as is_measured,
        case
            when is_measured then seen_gb
            when runtime = 'llama.cpp' then if(context_effective is null, null, peak_short_gb)
            when context_effective is not null then seen_gb + gb(
                kv_bytes_per_token * (context_effective - least(greatest(tokens, ladder_memory.depth, 0), context_effective))
            )
        end as peak_full_gb,
        if(is_measured, 'measured', 'estimated') as peak_full_kind,
        coalesce(ladder_memory.memory_confidence, short.memory_confidence) as peak_full_confidence,
        case
            when is_measured then null
            when peak_short_gb is null and ladder_memory.peak_memory_gb is null then 'no peak memory'
            when context_effective is null then 'the context is not known'
            when runtime = 'llama.cpp' then 'no ladder: llama.cpp allocates the whole cache when loading'
            when kv_bytes_per_token is null then 'models.csv does not know the shape of this model''s cache'
            when ladder_memory.peak_memory_gb is not null then 'the ladder ended early: its peak and the rest of the cache by its formula'
            else 'no ladder: short peak and the cache by its formula'
        end as peak_full_reason
    from short
    left join lengths using (configuration_id)
    left join ladder_memory
        on ladder_memory.ladder_id = short.ladder_id
        and if(peak_short_gb is null, kind_rank = 1, ladder_memory.peak_memory_kind = short.peak_memory_kind)
    left join known using (model)
);

comment on view configuration_full_memory is 'One row per configuration: peak memory with short prompts and with the whole context.';
comment on column configuration_full_memory.configuration_id is 'The configuration.';
comment on column configuration_full_memory.peak_short_gb is 'Highest peak of its runs with the suite''s prompts, GB.';
comment on column configuration_full_memory.peak_full_gb is 'Peak with the whole context in use, GB.';
comment on column configuration_full_memory.peak_full_kind is 'measured by a ladder, or estimated.';
comment on column configuration_full_memory.peak_full_reason is 'How it was estimated, or why it is not known.';
comment on column configuration_full_memory.peak_full_confidence is 'How sure the peak is that it rests on: the ladder''s, or the short one.';
