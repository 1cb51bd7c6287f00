create or replace view decode_by_prompt as
with
recent as (
    select
        configuration_id,
        dense_rank() over (order by latest_run_at desc, configuration_id) as recency
    from run_summary
    where decode_tps is not null
)
select
    runs.label,
    runs.suite,
    runs.run_id,
    speed.prompt_id,
    speed.repeat,
    speed.decode_tps,
    median(speed.decode_tps) over cell as median_tps,
    count(*) over cell as request_count
from request_speed as speed
inner join runs using (run_id)
inner join recent using (configuration_id)
where recent.recency <= 6 and speed.decode_tps is not null
window cell as (partition by configuration_id, speed.prompt_sha256)
order by recent.recency, speed.prompt_id, runs.run_started_at, speed.repeat;

comment on view decode_by_prompt is 'One row per measured request of the six configurations measured last.';
comment on column decode_by_prompt.label is 'Model, quantization, engine.';
comment on column decode_by_prompt.suite is 'Prompt suite.';
comment on column decode_by_prompt.run_id is 'The run.';
comment on column decode_by_prompt.prompt_id is 'The prompt.';
comment on column decode_by_prompt.repeat is 'Which repeat of the prompt, from 1.';
comment on column decode_by_prompt.decode_tps is 'Decode speed of this request, tokens/s.';
comment on column decode_by_prompt.median_tps is 'Median over all requests of the prompt in this configuration.';
comment on column decode_by_prompt.request_count is 'Requests behind the median.';
