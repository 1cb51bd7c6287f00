create or replace view other_engines as
select
    configuration_id, machine, label, runtime, model, quantization, server, suite, context_effective,
    decode_tps, decode_tps_low, decode_tps_high, interval_kind, ttft_ms, ttft_ms_low, ttft_ms_high, prefill_tps, prefill_tps_low, prefill_tps_high,
    peak_memory_gb, load_s, load_kind, cv, decode_count, decode_run_count, run_count, reason
from run_summary
where runtime not in ('mlx', 'llama.cpp')
order by machine, label, configuration_id;

comment on view other_engines is 'One row per configuration of an engine that is neither MLX nor llama.cpp, or is not known.';
comment on column other_engines.configuration_id is 'The configuration.';
comment on column other_engines.machine is 'Chip, GPU cores, memory.';
comment on column other_engines.label is 'Model, quantization, engine.';
comment on column other_engines.runtime is 'Engine that ran the model.';
comment on column other_engines.model is 'The model.';
comment on column other_engines.quantization is 'Its quantization.';
comment on column other_engines.server is 'The program that answered.';
comment on column other_engines.suite is 'Prompt suite.';
comment on column other_engines.context_effective is 'Context length the server had, tokens.';
comment on column other_engines.decode_tps is 'Decode speed, tokens/s.';
comment on column other_engines.decode_tps_low is 'Lower end of its 95 % interval.';
comment on column other_engines.decode_tps_high is 'Upper end of its 95 % interval.';
comment on column other_engines.ttft_ms is 'Time to first token, ms.';
comment on column other_engines.ttft_ms_low is 'Lower end of its 95 % interval.';
comment on column other_engines.ttft_ms_high is 'Upper end of its 95 % interval.';
comment on column other_engines.prefill_tps is 'Prefill speed, tokens/s, over prompts of 512 tokens and more.';
comment on column other_engines.prefill_tps_low is 'Lower end of its 95 % interval.';
comment on column other_engines.prefill_tps_high is 'Upper end of its 95 % interval.';
comment on column other_engines.peak_memory_gb is 'Highest peak memory of any run, GB.';
comment on column other_engines.load_s is 'Median load time, seconds.';
comment on column other_engines.cv is 'Pooled coefficient of variation of decode speed over repeats of a prompt.';
comment on column other_engines.decode_count is 'Requests with a valid decode speed.';
comment on column other_engines.run_count is 'Runs.';
comment on column other_engines.reason is 'What is missing or doubtful in its runs.';
comment on column other_engines.interval_kind is 'between runs: its interval holds what runs of this machine differ by; within this run: no configuration has two runs yet, and it does not.';
comment on column other_engines.decode_run_count is 'Runs behind the decode speed.';
comment on column other_engines.load_kind is 'warm, cold, or not known.';
