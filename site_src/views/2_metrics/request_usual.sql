-- How soon a first token usually comes: as in other requests of the same prompt, or, where those are few, as in earlier
-- requests of the run. Prefill takes at most four times as long for twice the tokens, so a prompt is held against those
-- that are half as long at least; the first of its length after a load is held against nothing.
create or replace view request_usual as
with
usual as (
    select configuration_id, version, prompt_sha256, median(ttft_ms) as ttft_ms, count(ttft_ms) as request_count
    from request_speed
    inner join run_versions using (run_id)
    group by configuration_id, version, prompt_sha256
),
known as (
    select
        speed.run_id, speed.op_index, speed.ttft_ms, speed.cached_tokens, speed.prompt_tokens, requests.prompt_chars,
        usual.ttft_ms as usual_ttft_ms, usual.request_count
    from request_speed as speed
    inner join stg_requests as requests using (run_id, op_index)
    inner join run_versions using (run_id)
    left join usual
        on usual.configuration_id = run_versions.configuration_id and usual.version = run_versions.version
        and usual.prompt_sha256 = speed.prompt_sha256
),
first_warmups as (
    -- the second repeats the first, so that a cache may have answered it
    select * from raw_facts where op = 'warmup' qualify row_number() over (partition by run_id order by op_index) = 1
),
answered as (
    select run_id, op_index, prompt_tokens, prompt_chars, ms(first_text_ns) as ttft_ms
    from first_warmups
    where not is_failure(error_kind)
    union all
    select run_id, op_index, prompt_tokens, prompt_chars, ttft_ms from known where coalesce(cached_tokens, 0) <= 16
),
soonest as (
    select known.run_id, known.op_index, min(answered.ttft_ms) as ttft_ms
    from known
    inner join answered
        on answered.run_id = known.run_id and answered.op_index < known.op_index
        and coalesce(
            2 * answered.prompt_tokens >= known.prompt_tokens, 2 * answered.prompt_chars >= known.prompt_chars
        )
    where known.ttft_ms > 1000 and coalesce(known.request_count, 0) < 3
    group by known.run_id, known.op_index
)
select
    known.run_id,
    known.op_index,
    usual_ttft_ms,
    if(request_count >= 3, usual_ttft_ms, soonest.ttft_ms) as expected_ttft_ms,
    coalesce(known.ttft_ms > greatest(5 * expected_ttft_ms, expected_ttft_ms + 1000), false) as is_late
from known
left join soonest on soonest.run_id = known.run_id and soonest.op_index = known.op_index;

comment on view request_usual is 'One row per measured request: how soon its first token was to be expected.';
comment on column request_usual.run_id is 'The run.';
comment on column request_usual.op_index is 'Place among the run''s operations.';
comment on column request_usual.usual_ttft_ms is 'Median TTFT of this prompt in this configuration under the same versions, ms.';
comment on column request_usual.expected_ttft_ms is 'The same where it is of three requests and more; else the shortest of those before in the run whose prompt is half as long at least, looked up from a second on.';
comment on column request_usual.is_late is 'TTFT above five times that, and more than a second above it.';
