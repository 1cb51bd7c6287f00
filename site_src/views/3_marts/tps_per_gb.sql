-- Never to rank by alone: fewer bits nearly always win, whatever the answers are worth.
create or replace view tps_per_gb as
select
    run_summary.configuration_id,
    run_summary.label,
    run_summary.machine,
    run_summary.server,
    run_summary.model,
    run_summary.runtime,
    run_summary.quantization,
    run_summary.bits,
    run_summary.context_effective,
    run_summary.suite,
    run_summary.decode_tps,
    run_summary.decode_tps_low,
    run_summary.decode_tps_high,
    run_summary.interval_kind,
    run_summary.decode_run_count,
    run_summary.decode_count as request_count,
    run_summary.run_count,
    peak_memory_gb,
    peak_memory_kind,
    peak_memory_count,
    peak_full_gb,
    peak_full_kind,
    file_gb,
    run_summary.decode_tps / peak_memory_gb as tps_per_gb,
    run_summary.decode_tps_low / peak_memory_gb as tps_per_gb_low,
    run_summary.decode_tps_high / peak_memory_gb as tps_per_gb_high,
    run_summary.decode_tps / peak_full_gb as tps_per_full_gb,
    run_summary.decode_tps_low / peak_full_gb as tps_per_full_gb_low,
    run_summary.decode_tps_high / peak_full_gb as tps_per_full_gb_high,
    run_summary.decode_tps / nullif(file_gb, 0) as tps_per_file_gb,
    run_summary.decode_tps_low / nullif(file_gb, 0) as tps_per_file_gb_low,
    run_summary.decode_tps_high / nullif(file_gb, 0) as tps_per_file_gb_high,
    physical_limit.ceiling_share,
    case
        when run_summary.decode_tps is null then 'no decode speed'
        when peak_memory_gb is null then 'no peak memory'
    end as reason
from run_summary
left join physical_limit using (configuration_id)
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
comment on column tps_per_gb.peak_full_gb is 'Peak memory with the whole context in use, GB.';
comment on column tps_per_gb.peak_full_kind is 'measured by a ladder, or estimated.';
comment on column tps_per_gb.tps_per_full_gb is 'Decode speed over peak memory with the whole context in use.';
comment on column tps_per_gb.tps_per_full_gb_low is 'Lower end, from the interval of the speed alone.';
comment on column tps_per_gb.tps_per_full_gb_high is 'Upper end.';
comment on column tps_per_gb.tps_per_file_gb_low is 'Lower end, from the interval of the speed.';
comment on column tps_per_gb.tps_per_file_gb_high is 'Upper end.';
comment on column tps_per_gb.ceiling_share is 'Share of the speed that memory bandwidth allows.';
comment on column tps_per_gb.interval_kind is 'between runs: its interval holds what runs of this machine differ by; within this run: no configuration has two runs yet, and it does not.';
comment on column tps_per_gb.decode_run_count is 'Runs behind the decode speed.';
