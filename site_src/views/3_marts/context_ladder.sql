-- A rung passes with at least 5 of 6 needles over its two prompts. Above the effective context it shall fail: that is
-- the limit, and no fault of the model.
create or replace view context_ladder as
with
sent as (
    -- what the budget, the person or the network cut, and a later run of the ladder has answered, is no part of it any more
    select stg_context.*, ttft_ms, prefill_tps, decode_tps
    from stg_context
    inner join (select run_id, op_index, ttft_ms, prefill_tps, decode_tps from rung_speed) as speeds using (run_id, op_index)
    qualify error_kind is null
        or error_kind not in ('budget', 'interrupted', 'transport', 'stream_cut', 'timeout', 'connect')
        or count(*) filter (is_accepted) over (partition by ladder_id, rung, set_number) = 0
),
rungs as (
    select
        ladder_id,
        rung,
        count(*) as set_count,
        count(*) filter (is_sent) as request_count,
        count(*) filter (is_accepted) as accepted_count,
        count(*) filter (error_kind in ('budget', 'interrupted')) as cut_count,
        coalesce(sum(needle_count) filter (is_accepted), 0)::bigint as needle_count,
        coalesce(sum(found_count) filter (is_accepted), 0)::bigint as found_count,
        median(prompt_tokens) as prompt_tokens,
        max(prompt_tokens) filter (is_accepted) as accepted_tokens,
        median(ttft_ms) as ttft_ms,
        median(prefill_tps) as prefill_tps,
        median(decode_tps) as decode_tps,
        gb(if(bool_or(is_macos), max(system_bytes), max(pss_bytes))) as memory_gb,
        string_agg(
            distinct case
                when prompt_tokens is null and not is_failure(error_kind) then 'the server counted no tokens'
                when error_kind is null or not is_failure(error_kind)
                    then format('{} tokens counted, {} sent', prompt_tokens, context_expected_tokens)
                else error_kind
            end, ', '
        ) filter (not is_accepted) as refusal
    from sent
    group by ladder_id, rung
),
named as (
    select
        ladder_id,
        any_value(label order by run_id) as label,
        any_value(machine order by run_id) as machine,
        any_value(model order by run_id) as model,
        any_value(runtime order by run_id) as runtime,
        any_value(quantization order by run_id) as quantization,
        any_value(context_effective order by run_id) as context_effective
    from stg_runs
    where ladder_id in (select ladder_id from stg_context)
    group by ladder_id
)
select
    named.*,
    rungs.rung,
    coalesce(rungs.rung > context_effective, false) as is_beyond,
    rungs.request_count,
    rungs.accepted_count,
    rungs.needle_count,
    rungs.found_count,
    wilson_low(found_count, needle_count) as found_share_low,
    wilson_high(found_count, needle_count) as found_share_high,
    rungs.prompt_tokens,
    rungs.accepted_tokens,
    rungs.ttft_ms,
    rungs.prefill_tps,
    rungs.decode_tps,
    rungs.memory_gb,
    case
        when accepted_count < set_count and cut_count = set_count - accepted_count then 'cut'
        when accepted_count < set_count and rungs.rung > context_effective then 'limit'
        when accepted_count < set_count then 'refused'
        when needle_count < 6 then 'incomplete'
        when found_count >= needle_count * 5 / 6 then 'pass'
        else 'fail'
    end as verdict,
    case
        when accepted_count < set_count then refusal
        when needle_count < 6 then 'only ' || request_count || ' of 2 prompts was sent'
        when found_count < needle_count * 5 / 6 then format('{} of {} needles found', found_count, needle_count)
    end as reason
from rungs
inner join named using (ladder_id)
order by label, ladder_id, rung;

comment on view context_ladder is 'One row per ladder and rung: what became of a prompt of that length.';
comment on column context_ladder.ladder_id is 'The ladder.';
comment on column context_ladder.label is 'Model, quantization, engine.';
comment on column context_ladder.machine is 'Chip, GPU cores, memory.';
comment on column context_ladder.model is 'The model.';
comment on column context_ladder.runtime is 'Engine that ran the model.';
comment on column context_ladder.quantization is 'Its quantization.';
comment on column context_ladder.context_effective is 'Context length the server had, tokens.';
comment on column context_ladder.rung is 'Prompt length aimed at, tokens.';
comment on column context_ladder.is_beyond is 'Above the effective context, to prove the limit.';
comment on column context_ladder.request_count is 'Requests sent.';
comment on column context_ladder.accepted_count is 'Requests answered with as many tokens counted as were sent, within 2 % (more for short prompts).';
comment on column context_ladder.needle_count is 'Needles hidden in those.';
comment on column context_ladder.found_count is 'Needles the answers name.';
comment on column context_ladder.found_share_low is 'Lower end of the 95 % Wilson interval of the share found.';
comment on column context_ladder.found_share_high is 'Upper end.';
comment on column context_ladder.prompt_tokens is 'Prompt length by the server, tokens; median.';
comment on column context_ladder.accepted_tokens is 'Longest prompt of the rung that was taken whole, tokens.';
comment on column context_ladder.ttft_ms is 'Time to first token at that depth, ms; median.';
comment on column context_ladder.prefill_tps is 'Prompt tokens per second of TTFT, cold; median.';
comment on column context_ladder.decode_tps is 'Decode speed at that depth, tokens/s; NULL below 32 tokens or 8 chunks.';
comment on column context_ladder.memory_gb is 'Highest memory meanwhile, GB: PSS of the engine on Linux, in use on the machine on macOS.';
comment on column context_ladder.verdict is 'pass: 5 of 6 needles; fail: fewer; refused: an error or other tokens counted than sent; limit: refused above the effective context, as it should; cut: the budget ended; incomplete: one prompt only.';
comment on column context_ladder.reason is 'Why it is no pass.';
