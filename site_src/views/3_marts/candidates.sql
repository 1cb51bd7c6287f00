-- What a choice is made from. Of several configurations of one model, engine and quantization the rated one with most
-- requests stands for it. A quarter of the memory stays free for everything else, unless the wired limit says more.
create or replace view candidates as
with
ladders as (
    -- arg_max passes over NULL, but not over a struct that holds one; and in a struct NULL is the largest
    select
        machine, model, runtime, quantization,
        max(context_usable) as context_usable,
        arg_max({'gb': memory.peak_memory_gb}, (coalesce(context_effective, -1), context_utilization.ladder_id)).gb as deep_memory_gb,
        arg_max({'below': context_usable_below}, (coalesce(context_usable, -1), context_utilization.ladder_id)).below as context_usable_below
    from context_utilization
    left join ladder_memory as memory on memory.ladder_id = context_utilization.ladder_id and memory.kind_rank = 1
    left join (select distinct ladder_id, server from stg_runs) as known on known.ladder_id = context_utilization.ladder_id
    where coalesce(known.server, 'lmstudio') = 'lmstudio'
    group by machine, model, runtime, quantization
),
repeated as (
    select configuration_id, min(decode_count) as repeat_count
    from (
        select configuration_id, prompt_sha256, sum(decode_count)::bigint as decode_count
        from prompt_speed
        inner join run_versions using (run_id)
        where is_current
        group by configuration_id, prompt_sha256
    )
    group by configuration_id
),
facts as (
    select
        configuration_id,
        any_value(machine_memory_gb order by run_id) as machine_memory_gb,
        max(wired_limit_mb) * 1048576.0 / 1e9 as wired_limit_gb,
        string_agg(distinct runtime_version, ', ' order by runtime_version) as runtime_versions
    from stg_runs
    semi join (select run_id from run_versions where is_current) as current using (run_id)
    group by configuration_id
),
judged as (
    select
        run_summary.* exclude (context_usable, context_usable_below, reason),
        facts.* exclude (configuration_id),
        repeat_count,
        ladders.context_usable,
        ladders.context_usable_below,
        ladders.deep_memory_gb,
        coalesce(quality.gate, 'unproven') as quality_gate,
        nullif(concat_ws(
            '; ',
            if(server is distinct from 'lmstudio', 'not measured through LM Studio', null),
            if(forced_count > 0, 'a check had failed', null),
            if(decode_tps is null, 'no decode speed', null),
            if(context_effective < 131072, 'context below 131,072', null),
            if(failed_count + excluded_count > 0.2 * request_count, format(
                '{} of {} requests failed or were left out', failed_count + excluded_count, request_count
            ), null),
            if(peak_short_gb is null, 'peak memory not known', null),
            if(quality.gate = 'fail', 'its outputs failed the quality gate', null)
        ), '') as reason
    from run_summary
    anti join (select machine from stg_runs where contributor is not null) as others using (machine)  -- no choice of ours
    left join facts using (configuration_id)
    left join repeated using (configuration_id)
    left join ladders using (machine, model, runtime, quantization)
    left join configuration_quality as quality using (configuration_id)
)
select
    configuration_id, label, machine, model, runtime, quantization, bits, context_effective,
    reason is null as is_rated,
    decode_tps, decode_tps_low, decode_tps_high, interval_kind, decode_run_count,
    decode_j_per_token, decode_j_per_token_low, decode_j_per_token_high, energy_interval_kind, energy_run_count, energy_kind,
    peak_memory_kind,
    coalesce(peak_full_gb, peak_short_gb) as memory_gb,
    if(peak_full_gb is null, 'only with short prompts', peak_full_kind) as memory_kind,
    deep_memory_gb, coalesce(peak_full_confidence, memory_confidence) as memory_confidence,
    budget_for(memory_gb, wired_limit_gb, machine_memory_gb) as budget_gb,
    budget_for(deep_memory_gb, wired_limit_gb, machine_memory_gb) as budget_deep_gb,
    context_usable, context_usable_below, quality_gate,
    machine_memory_gb, runtime_versions,
    prompt_count, coalesce(repeat_count, 0) as repeat_count, decode_count as request_count, run_count, latest_run_at,
    reason
from judged
qualify row_number() over (
    partition by machine, model, runtime, quantization
    order by reason is null desc, judged.decode_count desc, latest_run_at desc, configuration_id
) = 1
order by machine, model, runtime, bits, quantization;

comment on view candidates is 'One row per machine, model, engine and quantization: what a choice rests on, and whether it is rated.';
comment on column candidates.configuration_id is 'The configuration that stands for it.';
comment on column candidates.label is 'Model, quantization, engine.';
comment on column candidates.machine is 'Chip, GPU cores, memory.';
comment on column candidates.model is 'The model.';
comment on column candidates.runtime is 'Engine that ran the model.';
comment on column candidates.quantization is 'Its quantization.';
comment on column candidates.bits is 'Nominal bits per weight.';
comment on column candidates.context_effective is 'Context length the server had, tokens.';
comment on column candidates.is_rated is 'Whether it can be recommended.';
comment on column candidates.decode_tps is 'Decode speed, tokens/s.';
comment on column candidates.decode_tps_low is 'Lower end of its 95 % interval.';
comment on column candidates.decode_tps_high is 'Upper end of its 95 % interval.';
comment on column candidates.memory_gb is 'Peak memory with the whole context in use, GB; with the suite''s prompts where that is not known.';
comment on column candidates.memory_kind is 'measured by a ladder, estimated, or only with short prompts.';
comment on column candidates.deep_memory_gb is 'Peak memory of the ladder with the largest context, GB.';
comment on column candidates.memory_confidence is 'How sure its peak memory is.';
comment on column candidates.budget_gb is 'Memory that a machine should have for that, GB: a quarter stays free, unless the wired limit allows more.';
comment on column candidates.budget_deep_gb is 'The same for the largest context of a ladder.';
comment on column candidates.context_usable is 'Largest rung of a ladder that passed, tokens; NULL: no ladder was climbed.';
comment on column candidates.context_usable_below is 'The first rung that did not pass.';
comment on column candidates.quality_gate is 'pass, warn, fail, or unproven.';
comment on column candidates.machine_memory_gb is 'Memory built in, GB.';
comment on column candidates.runtime_versions is 'Versions of the engine it was measured with.';
comment on column candidates.prompt_count is 'Prompts.';
comment on column candidates.repeat_count is 'Valid decode speeds of each prompt, at least.';
comment on column candidates.request_count is 'Requests behind the decode speed.';
comment on column candidates.run_count is 'Runs.';
comment on column candidates.latest_run_at is 'Beginning of the latest run, UTC.';
comment on column candidates.reason is 'Why it is not rated.';
comment on column candidates.interval_kind is 'between runs: its interval holds what runs of this machine differ by; within this run: no configuration has two runs yet, and it does not.';
comment on column candidates.decode_run_count is 'Runs behind the speed.';
comment on column candidates.peak_memory_kind is 'What its peak memory holds.';
comment on column candidates.decode_j_per_token is 'Joules for each token generated, what flows at rest subtracted; of the rails in energy_kind.';
comment on column candidates.decode_j_per_token_low is 'Lower end of its 95 % interval.';
comment on column candidates.decode_j_per_token_high is 'Upper end of its 95 % interval.';
comment on column candidates.energy_interval_kind is 'between runs, or within this run: what that interval holds.';
comment on column candidates.energy_run_count is 'Runs behind the joules.';
comment on column candidates.energy_kind is 'The rails that the joules hold.';
