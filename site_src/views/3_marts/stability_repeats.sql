-- Measured requests of the newest three runs of each configuration, those left out of figures too: against their prompt's
-- median over all runs, and within their run.
create or replace view stability_repeats as
with
requests as (
    select
        configuration_id, speed.run_id, speed.op_index, speed.prompt_id, speed.prompt_sha256, speed.repeat, speed.decode_tps,
        flags.exclusion,
        row_number() over (partition by speed.run_id order by speed.op_index) as position
    from request_speed as speed
    inner join request_flags as flags on flags.run_id = speed.run_id and flags.op_index = speed.op_index
    inner join stg_runs on stg_runs.run_id = speed.run_id
),
measured as (
    from requests where decode_tps is not null
),
cells as (
    select
        configuration_id, prompt_sha256,
        coalesce(median(decode_tps) filter (exclusion is null), median(decode_tps)) as median_tps,
        count(*) as repeat_count
    from measured
    group by configuration_id, prompt_sha256
),
numbered as (
    select
        run_id,
        row_number() over (partition by configuration_id order by run_started_at, run_id) as run_number
    from stg_runs
    where run_id in (select run_id from measured)
),
relative as (
    select
        measured.*, median_tps, repeat_count, run_number,
        median(decode_tps) over (partition by measured.run_id, measured.prompt_sha256) as run_median_tps
    from measured
    inner join cells using (configuration_id, prompt_sha256)
    inner join numbered using (run_id)
    where measured.run_id in (select run_id from newest_runs where place <= 3)
)
select
    stability.machine, relative.configuration_id, configuration_name, stability.label, stability.model, stability.runtime,
    stability.quantization, stability.bits,
    relative.run_id, run_number, prompt_id, repeat, position,
    decode_tps, median_tps,
    100 * (decode_tps / median_tps - 1) as deviation_percent,
    100 * (decode_tps / run_median_tps - 1) as run_deviation_percent,
    repeat_count,
    exclusion is null as is_counted,
    exclusion as reason,
    coalesce(is_outlier, false) as is_outlier,
    position_drift.is_drifting as is_run_drifting,
    nullif(concat_ws(', ', if(grade = 'unstable', grade, null), if(stability.is_drifting, 'drifting', null)), '') as state,
    row_number() over (partition by relative.configuration_id order by run_number, position) = 1 as is_first
from relative
inner join stability using (configuration_id)
inner join configuration_names on configuration_names.configuration_id = relative.configuration_id
left join position_drift on position_drift.run_id = relative.run_id
left join (
    select run_id, op_index, is_outlier from request_outliers
) as outliers on outliers.run_id = relative.run_id and outliers.op_index = relative.op_index
order by stability.machine, stability.runtime != 'mlx', stability.model, stability.bits, configuration_name, run_number, position;

comment on view stability_repeats is 'One row per measured request with a decode speed: how far it is from its prompt''s median.';
comment on column stability_repeats.machine is 'Chip, GPU cores, memory.';
comment on column stability_repeats.configuration_id is 'The configuration.';
comment on column stability_repeats.configuration_name is 'Model and quantization; more where several configurations share these.';
comment on column stability_repeats.label is 'Model, quantization, engine.';
comment on column stability_repeats.model is 'The model.';
comment on column stability_repeats.runtime is 'Engine that ran the model.';
comment on column stability_repeats.quantization is 'Its quantization.';
comment on column stability_repeats.bits is 'Nominal bits per weight.';
comment on column stability_repeats.run_id is 'The run.';
comment on column stability_repeats.run_number is 'Which run of the configuration, from 1.';
comment on column stability_repeats.prompt_id is 'The prompt.';
comment on column stability_repeats.repeat is 'Which repeat of the prompt in its run, from 1.';
comment on column stability_repeats.position is 'Place among the run''s measured requests, from 1.';
comment on column stability_repeats.decode_tps is 'Decode speed of this request, tokens/s.';
comment on column stability_repeats.median_tps is 'Median of its prompt in this configuration, over the requests that count.';
comment on column stability_repeats.deviation_percent is 'How far it is from that median, percent.';
comment on column stability_repeats.run_deviation_percent is 'How far it is from the median of its prompt in its run, percent.';
comment on column stability_repeats.repeat_count is 'Requests of this prompt in this configuration.';
comment on column stability_repeats.is_counted is 'Whether it is part of figures.';
comment on column stability_repeats.reason is 'Why it is not.';
comment on column stability_repeats.is_run_drifting is 'Whether speed changed steadily from the beginning of the run to its end.';
comment on column stability_repeats.state is 'unstable: CV above 5 %; drifting: the last run differs from the first by more than 3 %; NULL is neither.';
comment on column stability_repeats.is_first is 'The first of its configuration: where the chart writes the state.';
comment on column stability_repeats.is_outlier is 'Whether its speed is an outlier of its prompt; it counts all the same.';
