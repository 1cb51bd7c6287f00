-- Two models at one runtime and bit width. Tokens per second of different tokenizers are no equal speed of text.
create or replace view model_comparison as
with
beside as (
    select
        pairs.obstacle,
        pairs.caveat,
        coalesce(pairs.memory_obstacle, if(a.peak_memory_kind != b.peak_memory_kind, 'memory was read in two ways', null))
            as memory_obstacle,
        a,
        b,
        pair_speed
    from pairs
    inner join run_summary as a on a.configuration_id = pairs.a_id
    inner join run_summary as b on b.configuration_id = pairs.b_id
    left join pair_speed on pair_speed.a_id = pairs.a_id and pair_speed.b_id = pairs.b_id
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
    case pair_speed.verdict
        when 'a faster' then a.model || ' faster'
        when 'b faster' then b.model || ' faster'
        else coalesce(pair_speed.verdict, 'not comparable')
    end as verdict,
    a.peak_memory_gb, b.peak_memory_gb as other_peak_memory_gb,
    if(obstacle is null and memory_obstacle is null, a.peak_memory_gb / b.peak_memory_gb, null) as peak_memory_ratio,
    a.decode_tps / a.peak_memory_gb as tps_per_gb,
    b.decode_tps / b.peak_memory_gb as other_tps_per_gb,
    a.load_s, b.load_s as other_load_s,
    coalesce(a_quality.gate, 'unproven') as quality_gate,
    coalesce(b_quality.gate, 'unproven') as other_quality_gate,
    nullif(concat_ws(
        '; ',
        obstacle,
        if(obstacle is null and pair_speed is null, 'no prompt with a decode speed on both sides', null),
        pair_speed.reason,
        caveat,
        if(obstacle is null, memory_obstacle, null)
    ), '') as reason
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
comment on column model_comparison.peak_memory_gb is 'Peak memory of the first, GB.';
comment on column model_comparison.other_peak_memory_gb is 'Peak memory of the other, GB.';
comment on column model_comparison.peak_memory_ratio is 'First over other; only at equal context.';
comment on column model_comparison.tps_per_gb is 'Tokens/s for each GB of peak memory, first.';
comment on column model_comparison.other_tps_per_gb is 'Likewise, other.';
comment on column model_comparison.load_s is 'Median load time of the first, s.';
comment on column model_comparison.other_load_s is 'Median load time of the other, s.';
comment on column model_comparison.quality_gate is 'Quality of the first: pass, warn, fail or unproven.';
comment on column model_comparison.other_quality_gate is 'Quality of the other.';
comment on column model_comparison.reason is 'Why it is not comparable or not sure.';
