create or replace view decode_by_prompt as
with
recent as (
    select
        configuration_id, machine, model, runtime, quantization, bits,
        dense_rank() over (partition by machine order by latest_run_at desc, configuration_id) as recency
    from run_summary
    where decode_tps is not null
),
chosen as (
    select
        *,
        if(min(model) over of_machine = max(model) over of_machine, quantization, concat(model, ' ', quantization)) as short_name
    from recent
    where recency <= 6
    window of_machine as (partition by machine)
),
measured as (
    select
        chosen.machine, runs.configuration_id, runs.label, chosen.short_name, chosen.runtime, chosen.bits, chosen.recency,
        runs.suite, runs.run_id, runs.run_started_at, speed.op_index, speed.prompt_id, speed.prompt_sha256, speed.repeat,
        speed.decode_tps,
        median(speed.decode_tps) over cell as median_tps,
        count(*) over cell as request_count
    from request_speed as speed
    inner join runs using (run_id)
    inner join chosen using (configuration_id)
    where speed.decode_tps is not null
    window cell as (partition by configuration_id, speed.prompt_sha256)
)
select
    machine, measured.configuration_id, label, short_name, runtime, bits, recency, suite, measured.run_id, prompt_id, repeat,
    decode_tps, median_tps, request_count,
    row_number() over (
        partition by measured.configuration_id, prompt_sha256
        order by measured.run_started_at, measured.run_id, op_index
    ) = 1 as is_first
from measured
inner join newest_runs on newest_runs.run_id = measured.run_id and newest_runs.place <= 3
order by machine, recency, prompt_id, measured.run_started_at, measured.run_id, op_index;

comment on view decode_by_prompt is 'One row per measured request of the six configurations of a machine that were measured last.';
comment on column decode_by_prompt.machine is 'Chip, GPU cores, memory.';
comment on column decode_by_prompt.configuration_id is 'The configuration.';
comment on column decode_by_prompt.label is 'Model, quantization, engine.';
comment on column decode_by_prompt.short_name is 'Quantization; with the model, where the six are of several.';
comment on column decode_by_prompt.runtime is 'Engine that ran the model.';
comment on column decode_by_prompt.bits is 'Nominal bits per weight.';
comment on column decode_by_prompt.recency is 'Which configuration was measured last, from 1.';
comment on column decode_by_prompt.suite is 'Prompt suite.';
comment on column decode_by_prompt.run_id is 'The run.';
comment on column decode_by_prompt.prompt_id is 'The prompt.';
comment on column decode_by_prompt.repeat is 'Which repeat of the prompt, from 1.';
comment on column decode_by_prompt.decode_tps is 'Decode speed of this request, tokens/s.';
comment on column decode_by_prompt.median_tps is 'Median over all requests of the prompt in this configuration.';
comment on column decode_by_prompt.request_count is 'Requests behind the median.';
comment on column decode_by_prompt.is_first is 'The first of its prompt and configuration: where the chart draws the median and the name.';
