-- Time between chunks. Percentiles mean something only where a chunk is a token and there are enough of them.
create or replace view request_gaps as
with
judged as (
    select
        speed.run_id,
        speed.op_index,
        speed.prompt_id,
        speed.batch_ratio,
        requests.gap_ms,
        case
            when speed.is_failed then 'the request failed: ' || speed.error_kind
            when speed.completion_tokens is null then 'the server sent no token count'
            when requests.chunk_count >= 1.5 * requests.arrival_count then 'the text came in bursts'
            when requests.gap_ms is null then 'fewer than two chunks with text arrived'
            when speed.batch_ratio < 0.95 then 'several tokens came in a chunk'
            when speed.completion_tokens < 200 then 'fewer than 200 tokens were generated'
        end as gap_reason
    from request_speed as speed
    inner join stg_requests as requests using (run_id, op_index)
)
select
    * exclude (gap_ms),
    if(gap_reason is null, gap_ms[1], null) as gap_ms_p50,
    if(gap_reason is null, gap_ms[2], null) as gap_ms_p95,
    if(gap_reason is null, gap_ms[3], null) as gap_ms_p99
from judged;

comment on view request_gaps is 'One row per measured request: time between its chunks with text.';
comment on column request_gaps.run_id is 'The run.';
comment on column request_gaps.op_index is 'Place among the run''s operations.';
comment on column request_gaps.prompt_id is 'The prompt.';
comment on column request_gaps.batch_ratio is 'Chunks with text for each token.';
comment on column request_gaps.gap_reason is 'Why there are no percentiles.';
comment on column request_gaps.gap_ms_p50 is 'Median gap, ms.';
comment on column request_gaps.gap_ms_p95 is '95th percentile of gaps, ms.';
comment on column request_gaps.gap_ms_p99 is '99th percentile of gaps, ms.';
