-- After its last measured repeat each prompt is sent once more, word for word: what a prompt cache saves.
create or replace view prefix_cache as
with
warm as (
    select run_id, prompt_id, nonce, ms(first_text_ns) as ttft_ms, cached_tokens, prompt_tokens
    from raw_facts
    where op = 'warm' and first_text_ns is not null and (error_kind is null or not is_failure(error_kind))
        and not has_slept(slept_ms) and not stood_still(stood_ms)
),
pairs as (
    select
        warm.run_id,
        cold.ttft_ms as cold_ms,
        warm.ttft_ms as warm_ms,
        warm.cached_tokens / nullif(warm.prompt_tokens, 0) as cached_share
    from warm
    inner join stg_requests using (run_id, prompt_id, nonce)
    inner join request_speed as cold
        on cold.run_id = stg_requests.run_id and cold.op_index = stg_requests.op_index
    where not cold.is_failed and not has_slept(stg_requests.slept_ms)
        and not stood_still(stg_requests.stood_ms)
),
summed as (
    select
        run_id,
        count(*) as prompt_count,
        geomean(cold_ms) as cold_ttft_ms,
        geomean(warm_ms) as warm_ttft_ms,
        geomean(warm_ms / cold_ms) as warm_ratio,
        min(warm_ms / cold_ms) as warm_ratio_min,
        max(warm_ms / cold_ms) as warm_ratio_max,
        avg(cached_share) as cached_share
    from pairs
    group by run_id
)
select
    runs.run_id, runs.configuration_id, runs.label, runs.machine, runs.run_started_at,
    summed.* exclude (run_id),
    case when warm_ratio < 0.2 then 'yes' when warm_ratio < 0.5 then 'partly' else 'no' end as verdict
from summed
inner join runs using (run_id)
order by run_started_at desc, run_id;

comment on view prefix_cache is 'One row per run with warm resends: how much sooner the first token comes when the prompt is in the cache.';
comment on column prefix_cache.run_id is 'The run.';
comment on column prefix_cache.configuration_id is 'Its configuration.';
comment on column prefix_cache.label is 'Model, quantization, engine.';
comment on column prefix_cache.machine is 'Chip, GPU cores, memory.';
comment on column prefix_cache.run_started_at is 'When it began, UTC.';
comment on column prefix_cache.prompt_count is 'Prompts sent again.';
comment on column prefix_cache.cold_ttft_ms is 'TTFT of the measured request, ms: geometric mean over prompts.';
comment on column prefix_cache.warm_ttft_ms is 'TTFT of the same request directly after it, ms.';
comment on column prefix_cache.warm_ratio is 'Warm over cold.';
comment on column prefix_cache.warm_ratio_min is 'Smallest over the prompts.';
comment on column prefix_cache.warm_ratio_max is 'Largest over the prompts.';
comment on column prefix_cache.cached_share is 'Share of prompt tokens the server says it took from the cache; NULL where it does not say.';
comment on column prefix_cache.verdict is 'Whether a cache helps: yes below 1/5, partly below 1/2, else no.';
