-- Spearman: Pearson's correlation of ranks, ties at their mean. Speed is relative to its prompt's median.
create or replace view position_drift as
with
relative as (
    select
        run_id,
        position,
        decode_tps / median(decode_tps) over (partition by run_id, prompt_sha256) as speed
    from request_speed
    where decode_tps is not null
),
ranked as (
    select
        run_id,
        speed,
        rank() over (partition by run_id order by position) as place,
        rank() over (partition by run_id order by speed)
            + (count(*) over (partition by run_id, speed) - 1) / 2 as speed_rank
    from relative
),
summed as (
    select
        run_id,
        count(*) as request_count,
        if(stddev_samp(speed_rank) > 0 and stddev_samp(place) > 0, round(corr(place, speed_rank), 12), null) as rho,
        max(speed) / min(speed) - 1 as speed_range
    from ranked
    group by run_id
)
select *, coalesce(abs(rho) >= 0.8 and request_count >= 6 and speed_range >= 0.05, false) as is_drifting from summed;

comment on view position_drift is 'One row per run: whether decode speed follows the order of requests.';
comment on column position_drift.run_id is 'The run.';
comment on column position_drift.request_count is 'Requests with a decode speed.';
comment on column position_drift.rho is 'Spearman''s rank correlation of speed with position; NULL without spread.';
comment on column position_drift.speed_range is 'Fastest over slowest, relative to their prompts, less one.';
comment on column position_drift.is_drifting is '|rho| of at least 0.8 over at least 6 requests that range over 5 %.';
