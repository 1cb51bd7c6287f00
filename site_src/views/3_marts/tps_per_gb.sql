create or replace view tps_per_gb as
select
    configuration_id,
    label,
    machine,
    server,
    model,
    runtime,
    quantization,
    bits,
    context_effective,
    suite,
    decode_tps,
    decode_tps_low,
    decode_tps_high,
    decode_count as request_count,
    run_count,
    peak_memory_gb,
    peak_memory_kind,
    peak_memory_count,
    file_gb,
    decode_tps / peak_memory_gb as tps_per_gb,
    decode_tps_low / peak_memory_gb as tps_per_gb_low,
    decode_tps_high / peak_memory_gb as tps_per_gb_high,
    decode_tps / file_gb as tps_per_file_gb,
    case
        when decode_tps is null then 'no decode speed'
        when peak_memory_gb is null then 'no peak memory'
    end as reason
from run_summary
order by run_summary.latest_run_at desc, configuration_id;

comment on view tps_per_gb is 'One row per configuration: decode speed for each GB, by peak memory and by file size. No ranking: it nearly always favors the smallest quantization.';
comment on column tps_per_gb.configuration_id is 'The configuration.';
comment on column tps_per_gb.label is 'Model, quantization, engine.';
comment on column tps_per_gb.machine is 'Chip, GPU cores, memory.';
comment on column tps_per_gb.server is 'The program that answered.';
comment on column tps_per_gb.model is 'The model.';
comment on column tps_per_gb.runtime is 'Engine that ran the model.';
comment on column tps_per_gb.quantization is 'Its quantization.';
comment on column tps_per_gb.bits is 'Nominal bits per weight.';
comment on column tps_per_gb.context_effective is 'Context length the server had, tokens.';
comment on column tps_per_gb.suite is 'Prompt suite.';
comment on column tps_per_gb.decode_tps is 'Decode speed, tokens/s.';
comment on column tps_per_gb.decode_tps_low is 'Lower end of its 95 % interval.';
comment on column tps_per_gb.decode_tps_high is 'Upper end of its 95 % interval.';
comment on column tps_per_gb.request_count is 'Requests behind the speed.';
comment on column tps_per_gb.run_count is 'Runs.';
comment on column tps_per_gb.peak_memory_gb is 'Peak memory, GB.';
comment on column tps_per_gb.peak_memory_kind is 'What that figure holds.';
comment on column tps_per_gb.peak_memory_count is 'Runs behind it.';
comment on column tps_per_gb.file_gb is 'Weights on disk, GB.';
comment on column tps_per_gb.tps_per_gb is 'Tokens/s for each GB of peak memory.';
comment on column tps_per_gb.tps_per_gb_low is 'Lower end: the speed''s interval over the same memory.';
comment on column tps_per_gb.tps_per_gb_high is 'Upper end, likewise.';
comment on column tps_per_gb.tps_per_file_gb is 'Tokens/s for each GB of weights on disk.';
comment on column tps_per_gb.reason is 'Why there is no figure.';
