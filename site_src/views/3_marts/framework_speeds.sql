create or replace view framework_speeds as
select
    machine, pair, runtime, model, bits, quantization, server, decode_tps, decode_tps_low, decode_tps_high,
    interval_kind, decode_count, decode_run_count, run_count,
    verdict, reason
from framework_sides
where decode_tps is not null
order by machine, model, bits, pair, runtime != 'mlx', quantization;

comment on view framework_speeds is 'One row per side of each pair that has a decode speed, for the chart.';
comment on column framework_speeds.machine is 'Chip, GPU cores, memory.';
comment on column framework_speeds.pair is 'Which pair: model and both quantizations.';
comment on column framework_speeds.runtime is 'Engine of this side.';
comment on column framework_speeds.model is 'The model.';
comment on column framework_speeds.bits is 'Nominal bits per weight on both sides.';
comment on column framework_speeds.quantization is 'Quantization of this side.';
comment on column framework_speeds.server is 'The program that answered.';
comment on column framework_speeds.decode_tps is 'Decode speed, tokens/s.';
comment on column framework_speeds.decode_tps_low is 'Lower end of its 95 % interval.';
comment on column framework_speeds.decode_tps_high is 'Upper end of its 95 % interval.';
comment on column framework_speeds.decode_count is 'Requests behind it.';
comment on column framework_speeds.run_count is 'Runs of this side.';
comment on column framework_speeds.verdict is 'What the pair says, or not comparable.';
comment on column framework_speeds.reason is 'Why the pair is not comparable, or what is doubtful.';
comment on column framework_speeds.interval_kind is 'between runs: its interval holds what runs of this machine differ by; within this run: no configuration has two runs yet, and it does not.';
comment on column framework_speeds.decode_run_count is 'Runs behind the decode speed.';
