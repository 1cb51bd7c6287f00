-- Flagged, never dropped: a median is not moved by one, and an interval shall hold it. Modified z-score above 3.5 (Iglewicz and
-- Hoaglin 1993) against the prompt's requests of all runs under the engine of today, five of them at least; where most are
-- equal to the digit, 1 % of the median stands for their spread.
create or replace view request_outliers as
with
counted as (
    select
        configuration_id, run_id, op_index, position, prompt_sha256, decode_tps,
        median(decode_tps) over cell as median_tps,
        count(*) over cell as request_count
    from request_speed
    inner join (select run_id, op_index from request_flags where exclusion is null) as flags using (run_id, op_index)
    inner join (select run_id, configuration_id from run_versions where is_current) as versions using (run_id)
    where decode_tps is not null
    window cell as (partition by configuration_id, prompt_sha256)
),
spread as (
    select
        *,
        median(abs(decode_tps - median_tps)) over (partition by configuration_id, prompt_sha256) as deviation
    from counted
)
select
    configuration_id, run_id, op_index, request_count,
    (decode_tps - median_tps) / coalesce(nullif(1.4826 * deviation, 0), 0.01 * median_tps) as score,
    request_count >= 5 and abs(score) > 3.5 as is_outlier,
    position = 1 as is_first_of_run
from spread;

comment on view request_outliers is 'One row per measured request that counts: how far its speed is from that of others of its prompt.';
comment on column request_outliers.configuration_id is 'The configuration.';
comment on column request_outliers.run_id is 'The run.';
comment on column request_outliers.op_index is 'Place among the run''s operations.';
comment on column request_outliers.request_count is 'Requests of its prompt that count.';
comment on column request_outliers.score is 'Modified z-score: distance from the median in robust standard deviations.';
comment on column request_outliers.is_outlier is 'Whether that is beyond 3.5, with five requests or more.';
comment on column request_outliers.is_first_of_run is 'Whether it was the first measured request of its run, which a cold machine explains.';
