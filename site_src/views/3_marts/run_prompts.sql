create or replace view run_prompts as
with
places as (
    select run_id, prompt_sha256, min(op_index) as place from request_speed group by run_id, prompt_sha256
)
select
    speed.run_id, stg_runs.configuration_id, stg_runs.label, stg_runs.machine, stg_runs.run_started_at, places.place,
    speed.prompt_id, speed.prompt_category, speed.prompt_sha256,
    speed.request_count, speed.failed_count, speed.excluded_count, speed.exclusion,
    speed.decode_tps, speed.decode_tps_min, speed.decode_tps_max, speed.decode_cv, speed.decode_count, speed.decode_reason,
    speed.ttft_ms, speed.ttft_ms_min, speed.ttft_ms_max, speed.ttft_count,
    speed.prefill_tps, speed.prefill_count, speed.completion_tokens
from prompt_speed as speed
inner join places using (run_id, prompt_sha256)
inner join stg_runs using (run_id)
order by run_started_at desc, run_id, place;

comment on view run_prompts is 'One row per run and prompt, as sent: speeds over the repeats.';
comment on column run_prompts.run_id is 'The run.';
comment on column run_prompts.configuration_id is 'Its configuration.';
comment on column run_prompts.label is 'Model, quantization, engine.';
comment on column run_prompts.machine is 'Chip, GPU cores, memory.';
comment on column run_prompts.run_started_at is 'When the run began, UTC.';
comment on column run_prompts.place is 'Operation of its first request.';
comment on column run_prompts.prompt_id is 'The prompt''s name in its suite.';
comment on column run_prompts.prompt_category is 'What kind of prompt it is.';
comment on column run_prompts.prompt_sha256 is 'Hash of text, material and token limit.';
comment on column run_prompts.request_count is 'Measured requests, failed ones included.';
comment on column run_prompts.failed_count is 'Requests that failed.';
comment on column run_prompts.excluded_count is 'Requests that went well and are left out nevertheless.';
comment on column run_prompts.exclusion is 'Why they are left out.';
comment on column run_prompts.decode_tps is 'Decode speed, tokens/s: median over repeats.';
comment on column run_prompts.decode_tps_min is 'The slowest repeat.';
comment on column run_prompts.decode_tps_max is 'The fastest repeat.';
comment on column run_prompts.decode_cv is 'Standard deviation ÷ mean over repeats.';
comment on column run_prompts.decode_count is 'Repeats with a valid decode speed.';
comment on column run_prompts.decode_reason is 'Why others have none.';
comment on column run_prompts.ttft_ms is 'Time to first token, ms: median over repeats.';
comment on column run_prompts.ttft_ms_min is 'The soonest.';
comment on column run_prompts.ttft_ms_max is 'The latest.';
comment on column run_prompts.ttft_count is 'Repeats with a TTFT.';
comment on column run_prompts.prefill_tps is 'Prefill speed, tokens/s: median over repeats; only of prompts of 512 tokens and more.';
comment on column run_prompts.prefill_count is 'Repeats with a valid prefill speed.';
comment on column run_prompts.completion_tokens is 'Median of tokens generated.';
