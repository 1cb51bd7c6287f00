-- C_use is the largest rung that passes with all smaller ones; between it and the first that does not lies the truth.
create or replace view context_utilization as
with
ranked as (
    select
        *,
        min(rung) filter (verdict != 'pass') over (partition by ladder_id) as first_not_passed,
        min(rung) filter (verdict in ('fail', 'refused', 'limit')) over (partition by ladder_id) as first_stopped
    from context_ladder
),
summed as (
    select
        ladder_id,
        any_value(label) as label,
        any_value(machine) as machine,
        any_value(model) as model,
        any_value(runtime) as runtime,
        any_value(quantization) as quantization,
        any_value(context_effective) as context_effective,
        max(accepted_tokens) as context_accepted,
        coalesce(
            max(rung) filter (verdict = 'pass' and (first_not_passed is null or rung < first_not_passed)),
            if(count(*) filter (verdict in ('fail', 'refused')) > 0, 0, null)
        ) as context_usable,
        any_value(first_stopped) as context_usable_below,
        count(*) filter (not is_beyond) as rung_count,
        sum(request_count)::bigint as request_count,
        count(*) filter (verdict = 'cut' and contains(reason, 'budget')) as cut_count,
        count(*) filter (verdict = 'cut' and contains(reason, 'interrupted')) as interrupted_count,
        count(*) filter (verdict = 'limit') as limit_count,
        finite(regr_slope(memory_gb * 1e9, prompt_tokens) filter (accepted_count > 0)) as memory_bytes_per_token,
        arg_max(ttft_ms, rung) filter (accepted_count > 0) as deepest_ttft_ms,
        arg_max(decode_tps, rung) filter (decode_tps is not null) as deepest_decode_tps,
        arg_max(found_share_low, rung) filter (verdict = 'pass') as found_share_low,
        arg_max(found_share_high, rung) filter (verdict = 'pass') as found_share_high
    from ranked
    group by ladder_id
),
told as (
    select
        ladder_id,
        max(context_requested) as context_requested,
        max(context_advertised) as served_advertised,
        max(run_started_at) as latest_run_at,
        any_value(server) as server
    from stg_runs
    where run_id in (select run_id from stg_context)
    group by ladder_id
)
select
    summed.ladder_id, label, machine, server, model, runtime, quantization,
    concat(label, ' · ', format('{:,}', context_effective)) as ladder_name,
    coalesce(known.context_advertised, served_advertised) as context_advertised,
    context_requested,
    context_effective,
    context_accepted,
    context_usable,
    context_usable_below,
    context_usable / nullif(coalesce(known.context_advertised, served_advertised), 0) as context_utilization,
    limit_count > 0 as is_limit_seen,
    rung_count, request_count, found_share_low, found_share_high,
    deepest_ttft_ms, deepest_decode_tps,
    memory_bytes_per_token,
    known.kv_bytes_per_token,
    latest_run_at,
    nullif(concat_ws(
        '; ',
        if(context_usable = 0, 'not even the smallest rung passed', null),
        if(cut_count > 0, 'the budget ended before the ladder did', null),
        if(interrupted_count > 0, 'the ladder was interrupted', null),
        if(context_usable_below is null, 'no rung failed: the limit lies higher', null),
        if(coalesce(known.context_advertised, served_advertised) is null, 'the advertised length is not known', null)
    ), '') as reason
from summed
inner join told using (ladder_id)
left join (
    select distinct model, context_advertised, kv_bytes_per_token from stg_models
) as known using (model)
order by label, summed.ladder_id;

comment on view context_utilization is 'One row per ladder: how much of the advertised context can be used. A plain needle test is a lower bar than real work.';
comment on column context_utilization.ladder_id is 'The ladder.';
comment on column context_utilization.label is 'Model, quantization, engine.';
comment on column context_utilization.machine is 'Chip, GPU cores, memory.';
comment on column context_utilization.server is 'Server that was measured.';
comment on column context_utilization.model is 'The model.';
comment on column context_utilization.runtime is 'Engine that ran the model.';
comment on column context_utilization.quantization is 'Its quantization.';
comment on column context_utilization.ladder_name is 'The same with the context the server had: a configuration may climb several ladders.';
comment on column context_utilization.context_advertised is 'Longest context the model is made for, tokens.';
comment on column context_utilization.context_requested is 'Context asked for when loading, tokens.';
comment on column context_utilization.context_effective is 'Context the server had, tokens.';
comment on column context_utilization.context_accepted is 'Longest prompt that was answered with all its tokens counted.';
comment on column context_utilization.context_usable is 'Largest rung that passed with all smaller ones, tokens; 0: none passed.';
comment on column context_utilization.context_usable_below is 'Smallest rung above that did not pass: the limit lies between the two.';
comment on column context_utilization.context_utilization is 'Usable over advertised.';
comment on column context_utilization.is_limit_seen is 'Whether a rung above the effective context was refused, as it should be.';
comment on column context_utilization.rung_count is 'Rungs tried within the effective context.';
comment on column context_utilization.request_count is 'Requests sent.';
comment on column context_utilization.found_share_low is 'Lower end of the 95 % Wilson interval of needles found at the largest passing rung.';
comment on column context_utilization.found_share_high is 'Upper end.';
comment on column context_utilization.deepest_ttft_ms is 'TTFT at the deepest accepted rung, ms.';
comment on column context_utilization.deepest_decode_tps is 'Decode speed at the deepest rung that has one, tokens/s.';
comment on column context_utilization.memory_bytes_per_token is 'Growth of memory with depth, bytes per token: least squares over accepted rungs.';
comment on column context_utilization.kv_bytes_per_token is 'What the key-value cache should take by its formula, bytes per token.';
comment on column context_utilization.latest_run_at is 'Beginning of the latest ladder, UTC.';
comment on column context_utilization.reason is 'What is not known.';
