-- Two models at one runtime and bit width. Tokens per second of different tokenizers are no equal speed of text.
create or replace view model_comparison as
select
    a.machine, a.runtime, a.bits,
    a.model, b.model as other_model,
    a.quantization, b.quantization as other_quantization,
    a.configuration_id, b.configuration_id as other_configuration_id,
    ratios.prompt_count, ratios.request_count, ratios.runs_a_side,
    a.decode_tps, b.decode_tps as other_decode_tps,
    ratios.decode_tps_ratio, ratios.decode_tps_ratio_low, ratios.decode_tps_ratio_high, ratios.interval_kind,
    ratios.ttft_request_count,
    ratios.ttft_ms_ratio, ratios.ttft_ms_ratio_low, ratios.ttft_ms_ratio_high,
    sided(ratios.verdict, a.model, b.model) as verdict,
    sided(ratios.ttft_verdict, a.model, b.model) as ttft_verdict,
    a.peak_memory_gb, b.peak_memory_gb as other_peak_memory_gb,
    ratios.peak_memory_ratio, ratios.peak_memory_ratio_low, ratios.peak_memory_ratio_high,
    sided(ratios.memory_verdict, a.model, b.model) as memory_verdict,
    ratios.memory_run_count,
    a.decode_tps / a.peak_memory_gb as tps_per_gb,
    b.decode_tps / b.peak_memory_gb as other_tps_per_gb,
    ratios.load_kind,
    ratios.load_s_ratio, ratios.load_s_ratio_low, ratios.load_s_ratio_high,
    sided(ratios.load_verdict, a.model, b.model) as load_verdict,
    ratios.load_run_count,
    a.context_usable, b.context_usable as other_context_usable,
    coalesce(a_quality.gate, 'unproven') as quality_gate,
    coalesce(b_quality.gate, 'unproven') as other_quality_gate,
    a_quality.passed_count, coalesce(a_quality.checked_count, 0) as checked_count,
    b_quality.passed_count as other_passed_count, coalesce(b_quality.checked_count, 0) as other_checked_count,
    ratios.reason,
    ratios.memory_reason,
    ratios.load_reason
from pair_ratios as ratios
inner join run_summary as a on a.configuration_id = ratios.a_id
inner join run_summary as b on b.configuration_id = ratios.b_id
left join configuration_quality as a_quality on a_quality.configuration_id = a.configuration_id
left join configuration_quality as b_quality on b_quality.configuration_id = b.configuration_id
where ratios.kind = 'model'
order by a.machine, a.runtime, a.bits, a.model, b.model, a.configuration_id, b.configuration_id;

comment on view model_comparison is 'One row per two models measured on one machine with one runtime at one bit width; ratios are the first over the other.';
comment on column model_comparison.machine is 'Chip, GPU cores, memory.';
comment on column model_comparison.runtime is 'Engine that ran both.';
comment on column model_comparison.bits is 'Nominal bits per weight of both.';
comment on column model_comparison.model is 'The first model.';
comment on column model_comparison.other_model is 'The other model.';
comment on column model_comparison.quantization is 'Quantization of the first.';
comment on column model_comparison.other_quantization is 'Quantization of the other.';
comment on column model_comparison.configuration_id is 'The first configuration.';
comment on column model_comparison.other_configuration_id is 'The other.';
comment on column model_comparison.prompt_count is 'Prompts that both have with a decode speed.';
comment on column model_comparison.request_count is 'Requests of both behind the ratio.';
comment on column model_comparison.decode_tps is 'Decode speed of the first, tokens/s.';
comment on column model_comparison.other_decode_tps is 'Decode speed of the other, tokens/s.';
comment on column model_comparison.decode_tps_ratio is 'Decode speed, first over other: geometric mean over the prompts of both.';
comment on column model_comparison.decode_tps_ratio_low is 'Lower end of its 95 % interval, from prompts and from runs of both sides.';
comment on column model_comparison.decode_tps_ratio_high is 'Upper end of its 95 % interval.';
comment on column model_comparison.ttft_ms_ratio is 'TTFT, first over other; below 1 is faster.';
comment on column model_comparison.ttft_ms_ratio_low is 'Lower end of its 95 % interval.';
comment on column model_comparison.ttft_ms_ratio_high is 'Upper end of its 95 % interval.';
comment on column model_comparison.verdict is 'Which is faster by more than 3 %, or equivalent, small difference, inconclusive, not comparable.';
comment on column model_comparison.ttft_verdict is 'Whose first token comes later by over 3 %, or equivalent, small difference, inconclusive, not comparable.';
comment on column model_comparison.memory_run_count is 'Runs behind the memory ratio on the side with fewer.';
comment on column model_comparison.load_run_count is 'Loads behind the load ratio on the side with fewer.';
comment on column model_comparison.peak_memory_gb is 'Peak memory of the first, GB.';
comment on column model_comparison.other_peak_memory_gb is 'Peak memory of the other, GB.';
comment on column model_comparison.peak_memory_ratio is 'First over other: geometric means over runs; only at equal context.';
comment on column model_comparison.tps_per_gb is 'Tokens/s for each GB of peak memory, first.';
comment on column model_comparison.other_tps_per_gb is 'Likewise, other.';
comment on column model_comparison.quality_gate is 'Quality of the first: pass, warn, fail or unproven.';
comment on column model_comparison.other_quality_gate is 'Quality of the other.';
comment on column model_comparison.passed_count is 'Prompts that pass their checks, first.';
comment on column model_comparison.checked_count is 'Prompts with a judged answer, first.';
comment on column model_comparison.other_passed_count is 'Prompts that pass, other.';
comment on column model_comparison.other_checked_count is 'Prompts with a judged answer, other.';
comment on column model_comparison.reason is 'Why it is not comparable or not sure.';
comment on column model_comparison.peak_memory_ratio_low is 'Lower end of its 95 % interval.';
comment on column model_comparison.peak_memory_ratio_high is 'Upper end of its 95 % interval.';
comment on column model_comparison.memory_verdict is 'Which model needs more by over 3 % (larger), equivalent, small difference, inconclusive, not comparable.';
comment on column model_comparison.load_kind is 'warm: both files were probably cached; cold: neither.';
comment on column model_comparison.load_s_ratio is 'Load time of the model over the other: geometric means over loads of that kind.';
comment on column model_comparison.load_s_ratio_low is 'Lower end of its 95 % interval.';
comment on column model_comparison.load_s_ratio_high is 'Upper end of its 95 % interval.';
comment on column model_comparison.load_verdict is 'Which model takes longer by over 3 % (slower), equivalent, small difference, inconclusive, not comparable.';
comment on column model_comparison.context_usable is 'Largest rung of a ladder that passed, tokens; NULL: none was climbed.';
comment on column model_comparison.other_context_usable is 'The same of the other model.';
comment on column model_comparison.memory_reason is 'Why memory is not compared, or not surely.';
comment on column model_comparison.load_reason is 'Why load time is not compared, or not surely.';
comment on column model_comparison.runs_a_side is 'Runs behind the speed, of the side with fewer.';
comment on column model_comparison.interval_kind is 'between runs: the interval holds what runs of this machine differ by; within this run: no configuration has two runs yet, and it does not.';
comment on column model_comparison.ttft_request_count is 'Requests of both sides behind the TTFT.';
