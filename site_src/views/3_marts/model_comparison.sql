-- Two models at one runtime and bit width. Tokens per second of different tokenizers are no equal speed of text.
create or replace view model_comparison as
with
beside as (
    select
        pairs.obstacle,
        pairs.caveat,
        a,
        b,
        pair_speed,
        pair_memory
    from pairs
    inner join run_summary as a on a.configuration_id = pairs.a_id
    inner join run_summary as b on b.configuration_id = pairs.b_id
    left join pair_speed on pair_speed.a_id = pairs.a_id and pair_speed.b_id = pairs.b_id
    left join pair_memory on pair_memory.a_id = pairs.a_id and pair_memory.b_id = pairs.b_id
    where pairs.kind = 'model'
)
select
    a.machine, a.runtime, a.bits,
    a.model, b.model as other_model,
    a.quantization, b.quantization as other_quantization,
    a.configuration_id, b.configuration_id as other_configuration_id,
    coalesce(pair_speed.prompt_count, 0) as prompt_count,
    coalesce(pair_speed.request_count, 0) as request_count,
    a.decode_tps, b.decode_tps as other_decode_tps,
    exp(pair_speed.decode) as decode_tps_ratio,
    exp(pair_speed.decode - pair_speed.decode_margin) as decode_tps_ratio_low,
    exp(pair_speed.decode + pair_speed.decode_margin) as decode_tps_ratio_high,
    exp(pair_speed.ttft) as ttft_ms_ratio,
    exp(pair_speed.ttft - pair_speed.ttft_margin) as ttft_ms_ratio_low,
    exp(pair_speed.ttft + pair_speed.ttft_margin) as ttft_ms_ratio_high,
    sided(coalesce(pair_speed.verdict, 'not comparable'), a.model, b.model) as verdict,
    if(
        pair_speed.prompt_count > 0,
        sided(ratio_verdict(pair_speed.ttft, pair_speed.ttft_margin, 'a later', 'b later'), a.model, b.model),
        'not comparable'
    ) as ttft_verdict,
    a.peak_memory_gb, b.peak_memory_gb as other_peak_memory_gb,
    exp(pair_memory.memory) as peak_memory_ratio,
    exp(pair_memory.memory - pair_memory.memory_margin) as peak_memory_ratio_low,
    exp(pair_memory.memory + pair_memory.memory_margin) as peak_memory_ratio_high,
    sided(pair_memory.memory_verdict, a.model, b.model) as memory_verdict,
    coalesce(pair_memory.memory_run_count, 0) as memory_run_count,
    a.decode_tps / a.peak_memory_gb as tps_per_gb,
    b.decode_tps / b.peak_memory_gb as other_tps_per_gb,
    pair_memory.load_kind,
    exp(pair_memory.load) as load_s_ratio,
    exp(pair_memory.load - pair_memory.load_margin) as load_s_ratio_low,
    exp(pair_memory.load + pair_memory.load_margin) as load_s_ratio_high,
    sided(pair_memory.load_verdict, a.model, b.model) as load_verdict,
    coalesce(pair_memory.load_run_count, 0) as load_run_count,
    a.context_usable, b.context_usable as other_context_usable,
    coalesce(a_quality.gate, 'unproven') as quality_gate,
    coalesce(b_quality.gate, 'unproven') as other_quality_gate,
    a_quality.passed_count, coalesce(a_quality.checked_count, 0) as checked_count,
    b_quality.passed_count as other_passed_count, coalesce(b_quality.checked_count, 0) as other_checked_count,
    nullif(concat_ws(
        '; ',
        obstacle,
        if(obstacle is null and pair_speed.prompt_count is null, 'no prompt with a decode speed on both sides', null),
        pair_speed.reason,
        caveat
    ), '') as reason,
    pair_memory.memory_reason,
    pair_memory.load_reason
from beside
left join configuration_quality as a_quality on a_quality.configuration_id = a.configuration_id
left join configuration_quality as b_quality on b_quality.configuration_id = b.configuration_id
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
comment on column model_comparison.decode_tps_ratio_low is 'Lower end of its 95 % interval.';
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
