-- The newest ten runs of a configuration beside its first. A run without all prompts is no measure of all of them and left out.
create or replace view stability_by_run as
with
whole as (
    select
        run_id, configuration_id, run_started_at, decode_tps, decode_tps_within_low as decode_tps_low,
        decode_tps_within_high as decode_tps_high, decode_center, decode_count
    from (
        select *, decode_prompt_count = max(decode_prompt_count) over (partition by configuration_id) as is_whole from runs
    )
    where is_whole and decode_tps is not null
),
placed as (
    select
        whole.*,
        version,
        row_number() over history as run_number,
        count(*) over (partition by whole.configuration_id) as run_count,
        lag(version) over history as version_before,
        exp(first_value(decode_center) over history) as first_tps
    from whole
    inner join run_sets on run_sets.run_id = whole.run_id and kind = 'run'
    window history as (partition by whole.configuration_id order by run_started_at, whole.run_id)
)
select
    stability.machine, placed.configuration_id, configuration_name, stability.label, stability.model, stability.runtime,
    stability.quantization, stability.bits,
    placed.run_id, run_number, placed.run_count, run_started_at, version, version_before,
    version != version_before as is_new_version,
    decode_tps, decode_tps_low, decode_tps_high,
    exp(decode_center) / first_tps as first_run_ratio,
    decode_tps_low / first_tps as first_run_ratio_low,
    decode_tps_high / first_tps as first_run_ratio_high,
    decode_count,
    run_number = placed.run_count and abs(first_run_ratio - 1) > 0.03 as is_off_at_end,
    is_off_at_end and row_number() over (
        partition by stability.machine, is_off_at_end order by abs(first_run_ratio - 1) desc, placed.configuration_id
    ) <= 4 as is_named
from placed
inner join stability using (configuration_id)
inner join configuration_names on configuration_names.configuration_id = placed.configuration_id
where placed.run_count > 1 and placed.run_id in (select run_id from newest_runs)
order by stability.machine, stability.runtime != 'mlx', stability.model, stability.bits, configuration_name, run_number;

comment on view stability_by_run is 'One row per run of a configuration that was measured more than once: its decode speed against the first run.';
comment on column stability_by_run.machine is 'Chip, GPU cores, memory.';
comment on column stability_by_run.configuration_id is 'The configuration.';
comment on column stability_by_run.configuration_name is 'Model and quantization; more where several configurations share these.';
comment on column stability_by_run.label is 'Model, quantization, engine.';
comment on column stability_by_run.model is 'The model.';
comment on column stability_by_run.runtime is 'Engine that ran the model.';
comment on column stability_by_run.quantization is 'Its quantization.';
comment on column stability_by_run.bits is 'Nominal bits per weight.';
comment on column stability_by_run.run_id is 'The run.';
comment on column stability_by_run.run_number is 'Which run of the configuration, from 1.';
comment on column stability_by_run.run_count is 'Runs of the configuration.';
comment on column stability_by_run.run_started_at is 'When it began, UTC.';
comment on column stability_by_run.version is 'Server, engine and operating system, with versions.';
comment on column stability_by_run.version_before is 'Those of the run before; NULL for the first.';
comment on column stability_by_run.is_new_version is 'Whether a version changed since the run before.';
comment on column stability_by_run.decode_tps is 'Decode speed of this run, tokens/s.';
comment on column stability_by_run.decode_tps_low is 'Lower end of the 95 % interval that repeats within the run give.';
comment on column stability_by_run.decode_tps_high is 'Upper end of its 95 % interval.';
comment on column stability_by_run.first_run_ratio is 'Decode speed over that of the configuration''s first run.';
comment on column stability_by_run.first_run_ratio_low is 'Lower end of this run''s 95 % interval, over the first run.';
comment on column stability_by_run.first_run_ratio_high is 'Upper end of this run''s 95 % interval, over the first run.';
comment on column stability_by_run.decode_count is 'Requests behind it.';
comment on column stability_by_run.is_off_at_end is 'Whether it is the last run and differs from the first by more than 3 %.';
comment on column stability_by_run.is_named is 'Whether it is one of the four of the machine that end farthest off, which the chart names.';
