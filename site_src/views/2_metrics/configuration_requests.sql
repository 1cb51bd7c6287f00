-- What single requests of a configuration say beside its headline.
create or replace view configuration_requests as
with
counted as (
    select run_versions.configuration_id, speed.*
    from request_speed as speed
    inner join (select run_id, op_index from request_flags where exclusion is null) as flags using (run_id, op_index)
    inner join run_versions using (run_id)
    where is_current
),
rates as (
    select
        configuration_id,
        sum(decode_tokens) filter (decode_tps is not null) / nullif(sum(decode_tokens / decode_tps), 0) as sustained_tps,
        quantile_cont(ttft_ms, 0.95) as ttft_ms_p95
    from counted
    group by configuration_id
),
gaps as (
    select
        configuration_id,
        median(gap_ms_p95 - gap_ms_p50) as jitter_ms,
        count(gap_ms_p50) as jitter_count
    from request_gaps
    inner join (select run_id, op_index, configuration_id from counted) as own using (run_id, op_index)
    group by configuration_id
),
outliers as (
    select
        configuration_id,
        count(*) filter (is_outlier) as outlier_count,
        count(*) filter (is_outlier and is_first_of_run) as first_outlier_count,
        count(*) filter (request_count >= 5) as judged_count
    from request_outliers
    group by configuration_id
)
select *
from rates
left join gaps using (configuration_id)
left join outliers using (configuration_id);

comment on view configuration_requests is 'One row per configuration with measured requests: what these say one by one, under the engine of today.';
comment on column configuration_requests.configuration_id is 'The configuration.';
comment on column configuration_requests.sustained_tps is 'Sustained rate: all tokens after the first chunks over all the time they took, tokens per second; long answers weigh most.';
comment on column configuration_requests.ttft_ms_p95 is '95th percentile of the time to first token over all requests, ms.';
comment on column configuration_requests.jitter_ms is 'Inter-token jitter: 95th percentile less median of the time between tokens, median over requests, ms.';
comment on column configuration_requests.jitter_count is 'Requests behind it: those with a token a chunk and 200 tokens or more.';
comment on column configuration_requests.outlier_count is 'Requests whose speed is an outlier of its prompt; they count.';
comment on column configuration_requests.first_outlier_count is 'Those of them that were the first of their run.';
comment on column configuration_requests.judged_count is 'Requests that were judged: those of a prompt with five or more.';
