-- Both sides of each pair as measured, also where nothing may be concluded from seeing them beside each other.
create or replace view framework_sides as
with
sides as (
    select mlx_configuration_id as a_id, llama_cpp_configuration_id as b_id, mlx_configuration_id as configuration_id, verdict, reason
    from framework_delta
    union all
    select mlx_configuration_id, llama_cpp_configuration_id, llama_cpp_configuration_id, verdict, reason from framework_delta
)
select
    known.machine, pair, known.runtime, known.model, known.bits, known.quantization, known.label, known.configuration_id,
    known.server, known.suite, known.context_effective,
    known.decode_tps, known.decode_tps_low, known.decode_tps_high, known.interval_kind, known.decode_run_count, known.decode_count,
    known.ttft_ms, known.ttft_ms_low, known.ttft_ms_high,
    known.peak_memory_gb, known.peak_memory_kind, known.peak_memory_count,
    known.load_s, known.load_count,
    stability.cv, stability.cv_low, stability.cv_high, stability.grade,
    stability.drift, stability.drift_low, stability.drift_high,
    coalesce(stability.request_count, 0) as cv_request_count,
    known.run_count,
    sides.verdict,
    nullif(concat_ws('; ', harness_reason, coalesce(obstacle, sides.reason)), '') as reason
from sides
inner join run_summary as known on known.configuration_id = sides.configuration_id
inner join framework_names as named on named.a_id = sides.a_id and named.b_id = sides.b_id
left join stability on stability.configuration_id = sides.configuration_id
order by known.machine, known.model, known.bits, pair, known.runtime != 'mlx', known.configuration_id;

comment on view framework_sides is 'One row per side of each pair of MLX and llama.cpp: its figures as measured, comparable or not.';
comment on column framework_sides.machine is 'Chip, GPU cores, memory.';
comment on column framework_sides.pair is 'Which pair: model and both quantizations.';
comment on column framework_sides.runtime is 'Engine of this side.';
comment on column framework_sides.model is 'The model.';
comment on column framework_sides.bits is 'Nominal bits per weight on both sides.';
comment on column framework_sides.quantization is 'Quantization of this side.';
comment on column framework_sides.label is 'Model, quantization, engine.';
comment on column framework_sides.configuration_id is 'Configuration of this side.';
comment on column framework_sides.server is 'The program that answered.';
comment on column framework_sides.suite is 'Prompt suite.';
comment on column framework_sides.context_effective is 'Context length the server had, tokens.';
comment on column framework_sides.decode_tps is 'Decode speed, tokens/s.';
comment on column framework_sides.decode_tps_low is 'Lower end of its 95 % interval.';
comment on column framework_sides.decode_tps_high is 'Upper end of its 95 % interval.';
comment on column framework_sides.decode_count is 'Requests behind it.';
comment on column framework_sides.ttft_ms is 'Time to first token, ms.';
comment on column framework_sides.ttft_ms_low is 'Lower end of its 95 % interval.';
comment on column framework_sides.ttft_ms_high is 'Upper end of its 95 % interval.';
comment on column framework_sides.peak_memory_gb is 'Peak memory, GB.';
comment on column framework_sides.peak_memory_kind is 'What that figure holds.';
comment on column framework_sides.peak_memory_count is 'Runs behind it.';
comment on column framework_sides.load_s is 'Median load time, seconds.';
comment on column framework_sides.load_count is 'Loads behind it.';
comment on column framework_sides.cv is 'Coefficient of variation of decode speed over the repeats of a prompt.';
comment on column framework_sides.cv_low is 'Lower end of its 95 % interval.';
comment on column framework_sides.cv_high is 'Upper end of its 95 % interval.';
comment on column framework_sides.grade is 'stable: CV up to 2 %; acceptable: up to 5 %; unstable: above.';
comment on column framework_sides.drift is 'Relative change of decode speed from the first run to the last.';
comment on column framework_sides.cv_request_count is 'Requests behind the CV.';
comment on column framework_sides.run_count is 'Runs of this side.';
comment on column framework_sides.verdict is 'Decode speed of the pair: MLX faster, llama.cpp faster, equivalent, small difference, inconclusive, or not comparable.';
comment on column framework_sides.reason is 'Why the pair is not comparable, or what is doubtful.';
comment on column framework_sides.interval_kind is 'between runs: its interval holds what runs of this machine differ by; within this run: no configuration has two runs yet, and it does not.';
comment on column framework_sides.decode_run_count is 'Runs behind the decode speed.';
comment on column framework_sides.drift_low is 'Lower end of the 95 % interval of that change.';
comment on column framework_sides.drift_high is 'Upper end of it.';
