create or replace view rung_speed as
with
timed as (
    select
        stg_context.* exclude (completion_tokens), evidence.* exclude (run_id, op_index),
        is_accepted and not has_slept(slept_ms) and not stood_still(stood_ms) as is_timed
    from stg_context
    left join request_evidence as evidence using (run_id, op_index)
)
select
    run_id, op_index, ladder_id, rung, set_number, prompt_tokens,
    if(is_timed and first_text_reason is null, ms(text_from_ns), null) as ttft_ms,
    if(
        is_timed and first_text_reason is null and coalesce(cached_tokens, 0) <= 16,
        per_s(prompt_tokens - coalesce(cached_tokens, 0), text_from_ns), null
    ) as prefill_tps,
    if(is_timed and completion_tokens >= 32 and chunk_count >= 8 and rate_reason is null, rate_tps, null) as decode_tps
from timed;

comment on view rung_speed is 'One row per request of a context ladder: its speeds, NULL where it was not accepted, the machine slept meanwhile, or the stream speaks against them.';
comment on column rung_speed.run_id is 'The run.';
comment on column rung_speed.op_index is 'Place among the run''s operations.';
comment on column rung_speed.ladder_id is 'The ladder.';
comment on column rung_speed.rung is 'Prompt length aimed at, tokens.';
comment on column rung_speed.set_number is 'Which of the rung''s prompts.';
comment on column rung_speed.prompt_tokens is 'Prompt length by the server, tokens.';
comment on column rung_speed.ttft_ms is 'Time to first token, ms.';
comment on column rung_speed.prefill_tps is 'Prefill speed, tokens/s; only of a prompt that no cache held.';
comment on column rung_speed.decode_tps is 'Decode speed, tokens/s, from 32 tokens and 8 chunks on.';
