create or replace view decode_by_configuration as
select
    machine, configuration_id, configuration_name, label, model, runtime, quantization, bits, server, suite,
    decode_tps, decode_tps_low, decode_tps_high, interval_kind, decode_count, decode_run_count, run_count, ttft_ms, ttft_ms_low, ttft_ms_high, ttft_count
from run_summary
inner join configuration_names using (configuration_id)
where decode_tps is not null
order by machine, decode_tps desc, configuration_id;

comment on view decode_by_configuration is 'One row per configuration with a decode speed, the fastest of a machine first, for the chart.';
comment on column decode_by_configuration.machine is 'Chip, GPU cores, memory.';
comment on column decode_by_configuration.configuration_id is 'The configuration.';
comment on column decode_by_configuration.configuration_name is 'Model and quantization; more where several configurations share these.';
comment on column decode_by_configuration.label is 'Model, quantization, engine.';
comment on column decode_by_configuration.model is 'The model.';
comment on column decode_by_configuration.runtime is 'Engine that ran the model.';
comment on column decode_by_configuration.quantization is 'Its quantization.';
comment on column decode_by_configuration.bits is 'Nominal bits per weight.';
comment on column decode_by_configuration.server is 'The program that answered.';
comment on column decode_by_configuration.suite is 'Prompt suite.';
comment on column decode_by_configuration.decode_tps is 'Decode speed, tokens/s.';
comment on column decode_by_configuration.decode_tps_low is 'Lower end of its 95 % interval.';
comment on column decode_by_configuration.decode_tps_high is 'Upper end of its 95 % interval.';
comment on column decode_by_configuration.decode_count is 'Requests behind it.';
comment on column decode_by_configuration.run_count is 'Runs.';
comment on column decode_by_configuration.ttft_ms is 'Time to first token, ms.';
comment on column decode_by_configuration.ttft_ms_low is 'Lower end of its 95 % interval.';
comment on column decode_by_configuration.ttft_ms_high is 'Upper end of its 95 % interval.';
comment on column decode_by_configuration.ttft_count is 'Requests behind it.';
comment on column decode_by_configuration.interval_kind is 'between runs: its interval holds what runs of this machine differ by; within this run: no configuration has two runs yet, and it does not.';
comment on column decode_by_configuration.decode_run_count is 'Runs behind the decode speed.';
