create or replace view runtime_history as
select
    configurations.configuration_id,
    configurations.label,
    configurations.machine,
    configurations.model,
    configurations.runtime,
    configurations.quantization,
    version_speed.first_run_at,
    version_speed.version,
    version_speed.version_before,
    version_speed.run_count,
    version_speed.prompt_count,
    version_speed.request_count,
    exp(decode) as decode_tps_ratio,
    exp(decode - decode_margin) as decode_tps_ratio_low,
    exp(decode + decode_margin) as decode_tps_ratio_high,
    case
        when version_before is null then 'first'
        else change_verdict(decode, decode_margin, compared_run_count, earlier_run_count, 'faster', 'regression')
    end as verdict,
    least(compared_run_count, earlier_run_count) as runs_a_side,
    step_count,
    case
        when version_before is null then null
        when prompt_count = 0 then 'no prompt with a decode speed under both'
        when runs_a_side < 2 then 'one run on a side'
        when step_count > 1 then format('corrected for {} steps', step_count)
    end as reason
from version_speed
inner join configurations using (configuration_id)
order by label, configuration_id, place;

comment on view runtime_history is 'One row per configuration and set of versions of server, engine and system: what an update changed.';
comment on column runtime_history.configuration_id is 'The configuration.';
comment on column runtime_history.label is 'Model, quantization, engine.';
comment on column runtime_history.machine is 'Chip, GPU cores, memory.';
comment on column runtime_history.model is 'The model.';
comment on column runtime_history.runtime is 'Engine that ran the model.';
comment on column runtime_history.quantization is 'Its quantization.';
comment on column runtime_history.first_run_at is 'First run under these versions, UTC.';
comment on column runtime_history.version is 'Server, engine and operating system, with versions.';
comment on column runtime_history.version_before is 'Those measured before.';
comment on column runtime_history.run_count is 'Runs under these versions.';
comment on column runtime_history.prompt_count is 'Prompts measured under both.';
comment on column runtime_history.request_count is 'Requests behind the comparison.';
comment on column runtime_history.decode_tps_ratio is 'Decode speed over that under the versions before.';
comment on column runtime_history.decode_tps_ratio_low is 'Lower end of its interval, of 95 % for all steps of the history together.';
comment on column runtime_history.decode_tps_ratio_high is 'Upper end of it.';
comment on column runtime_history.verdict is 'first; faster or regression (the interval excludes 1), equivalent (within 3 %), inconclusive, one run a side, not comparable.';
comment on column runtime_history.runs_a_side is 'Runs behind the comparison, of the side with fewer.';
comment on column runtime_history.step_count is 'Steps in the history: so many comparisons the interval is corrected for (studentized maximum modulus).';
comment on column runtime_history.reason is 'Why it is not sure.';
