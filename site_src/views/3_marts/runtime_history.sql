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
        when prompt_count = 0 then 'not comparable'
        else ratio_verdict(decode, decode_margin, 'faster', 'regression')
    end as verdict,
    case
        when version_before is null then null
        when prompt_count = 0 then 'no prompt with a decode speed under both'
        when prompt_count = 1 then 'one prompt has no interval'
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
comment on column runtime_history.decode_tps_ratio_low is 'Lower end of its 95 % interval.';
comment on column runtime_history.decode_tps_ratio_high is 'Upper end of its 95 % interval.';
comment on column runtime_history.verdict is 'first; faster or regression (by more than 3 %), equivalent, small difference, inconclusive, not comparable.';
comment on column runtime_history.reason is 'Why it is not sure.';
