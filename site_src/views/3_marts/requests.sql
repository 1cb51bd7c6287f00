-- Where every figure ends: single requests. One with an exclusion stands here with its own figures and in no other.
create or replace view requests as
select
    speed.run_id, stg_runs.configuration_id, stg_runs.label, stg_runs.machine, stg_runs.run_started_at, stg_runs.file,
    speed.op_index, speed.position, speed.prompt_id, speed.prompt_sha256, speed.repeat,
    speed.ttft_ms, speed.decode_tps, speed.prefill_tps,
    speed.prompt_tokens, speed.completion_tokens, speed.cached_tokens, speed.chunk_count,
    stg_requests.finish_reason,
    flags.exclusion,
    nullif(concat_ws(
        '; ',
        flags.exclusion,
        if(speed.is_failed, null, 'no decode speed: ' || speed.decode_reason),
        if(speed.is_failed, null, 'no time to first token: ' || speed.ttft_reason),
        speed.note
    ), '') as reason
from request_speed as speed
inner join stg_requests using (run_id, op_index)
inner join request_flags as flags using (run_id, op_index)
inner join stg_runs using (run_id)
order by run_started_at desc, run_id, op_index;

comment on view requests is 'One row per measured request: its own figures, and whether it counts.';
comment on column requests.run_id is 'The run.';
comment on column requests.configuration_id is 'Its configuration.';
comment on column requests.label is 'Model, quantization, engine.';
comment on column requests.machine is 'Chip, GPU cores, memory.';
comment on column requests.run_started_at is 'When the run began, UTC.';
comment on column requests.file is 'The file in results/runs that holds it.';
comment on column requests.op_index is 'Its row there.';
comment on column requests.position is 'Place among the run''s measured requests, from 1.';
comment on column requests.prompt_id is 'The prompt''s name in its suite.';
comment on column requests.prompt_sha256 is 'Hash of text, material and token limit.';
comment on column requests.repeat is 'Which repeat of the prompt, from 1.';
comment on column requests.ttft_ms is 'Sent to first text, ms.';
comment on column requests.decode_tps is 'Tokens after those that came first ÷ the time they took, tokens/s.';
comment on column requests.prefill_tps is 'Uncached prompt tokens ÷ TTFT less a round trip, tokens/s.';
comment on column requests.prompt_tokens is 'Tokens in the prompt, by the server.';
comment on column requests.completion_tokens is 'Tokens generated, by the server.';
comment on column requests.cached_tokens is 'Prompt tokens from the prompt cache; NULL where the server does not say.';
comment on column requests.chunk_count is 'Chunks with text.';
comment on column requests.finish_reason is 'Why generation ended.';
comment on column requests.exclusion is 'Why it counts in no figure; NULL if it does.';
comment on column requests.reason is 'The same, why it has no decode speed or TTFT, and what else is to be known of its stream.';
