-- The reference is the highest precision measured of a model and runtime. Surely dominated: another quantization is faster
-- beyond both intervals, needs at least 2 % less memory, and its quality is known to be no worse; unknown is no proof.
create or replace view quant_tradeoff as
with
sides as (
    select run_summary.*, quality.gate as quality_gate, quality.reason as quality_reason
    from run_summary
    inner join configurations using (configuration_id)
    left join configuration_quality as quality using (configuration_id)
    where run_summary.decode_tps is not null
),
placed as (
    select
        *,
        first_value(configuration_id) over (
            partition by machine, server, model, runtime
            order by bits desc nulls last, file_gb desc nulls last, request_count desc, configuration_id
        ) as reference_id
    from sides
),
judged as (
    select
        placed.*,
        reference.quantization as reference_quantization,
        reference.peak_memory_gb as reference_memory_gb,
        reference.peak_memory_kind as reference_memory_kind,
        (
            select any_value(better.quantization order by better.decode_tps desc, better.configuration_id)
            from placed as better
            where better.reference_id = placed.reference_id
                and better.decode_tps_low > placed.decode_tps_high
                and better.peak_memory_gb <= 0.98 * placed.peak_memory_gb
                and better.peak_memory_kind = placed.peak_memory_kind
                and better.quality_gate = 'pass'
        ) as dominated_by
    from placed
    left join sides as reference on reference.configuration_id = placed.reference_id
),
compared as (
    select
        judged.*,
        pair_speed.* exclude (a_id, b_id, request_count, prompt_count, reason, verdict, drift),
        pair_speed.verdict as pair_verdict,
        pair_speed.reason as pair_reason,
        pairs.obstacle,
        coalesce(pairs.memory_obstacle, if(peak_memory_kind != reference_memory_kind, 'memory was read in two ways', null))
            as memory_obstacle,
        pair_speed.prompt_count as pair_prompt_count,
        configuration_id = reference_id as is_reference
    from judged
    left join pairs on pairs.a_id = configuration_id and pairs.b_id = reference_id and pairs.kind = 'quantization'
    left join pair_speed on pair_speed.a_id = pairs.a_id and pair_speed.b_id = pairs.b_id
)
select
    configuration_id, label, machine, server, model, runtime, quantization, bits, context_effective,
    is_reference, reference_quantization,
    decode_tps, decode_tps_low, decode_tps_high, decode_count as request_count, run_count,
    exp(decode) as decode_tps_ratio,
    exp(decode - decode_margin) as decode_tps_ratio_low,
    exp(decode + decode_margin) as decode_tps_ratio_high,
    coalesce(pair_prompt_count, 0) as prompt_count,
    case
        when is_reference then 'reference'
        when obstacle is not null or pair_verdict is null then 'not comparable'
        when pair_verdict = 'a faster' then 'faster'
        when pair_verdict = 'b faster' then 'slower'
        else pair_verdict
    end as verdict,
    peak_memory_gb, peak_memory_kind, file_gb,
    if(not is_reference and obstacle is null and memory_obstacle is null, reference_memory_gb - peak_memory_gb, null)
        as memory_saved_gb,
    if(not is_reference and obstacle is null and memory_obstacle is null, peak_memory_gb / reference_memory_gb, null)
        as peak_memory_ratio,
    coalesce(quality_gate, 'unproven') as quality_gate,
    dominated_by is not null as is_surely_dominated,
    dominated_by,
    nullif(concat_ws(
        '; ',
        if(not is_reference, obstacle, null),
        if(not is_reference and obstacle is null and pair_verdict is null, 'no prompt in common with the reference', null),
        pair_reason,
        if(not is_reference and obstacle is null, memory_obstacle, null),
        if(quality_gate is null, 'quality not graded', quality_reason)
    ), '') as reason
from compared
order by machine, model, runtime, bits desc, configuration_id;

comment on view quant_tradeoff is 'One row per configuration: its quantization against the highest precision measured of the same model and runtime.';
comment on column quant_tradeoff.configuration_id is 'The configuration.';
comment on column quant_tradeoff.label is 'Model, quantization, engine.';
comment on column quant_tradeoff.machine is 'Chip, GPU cores, memory.';
comment on column quant_tradeoff.server is 'The program that answered.';
comment on column quant_tradeoff.model is 'The model.';
comment on column quant_tradeoff.runtime is 'Engine that ran the model.';
comment on column quant_tradeoff.quantization is 'Its quantization.';
comment on column quant_tradeoff.bits is 'Nominal bits per weight.';
comment on column quant_tradeoff.context_effective is 'Context length the server had, tokens.';
comment on column quant_tradeoff.is_reference is 'Whether it is the highest precision measured.';
comment on column quant_tradeoff.reference_quantization is 'The quantization it is measured against.';
comment on column quant_tradeoff.decode_tps is 'Decode speed, tokens/s.';
comment on column quant_tradeoff.decode_tps_low is 'Lower end of its 95 % interval.';
comment on column quant_tradeoff.decode_tps_high is 'Upper end of its 95 % interval.';
comment on column quant_tradeoff.request_count is 'Requests behind it.';
comment on column quant_tradeoff.run_count is 'Runs.';
comment on column quant_tradeoff.decode_tps_ratio is 'Decode speed over the reference: geometric mean over the prompts of both.';
comment on column quant_tradeoff.decode_tps_ratio_low is 'Lower end of its 95 % interval.';
comment on column quant_tradeoff.decode_tps_ratio_high is 'Upper end of its 95 % interval.';
comment on column quant_tradeoff.prompt_count is 'Prompts that both have.';
comment on column quant_tradeoff.verdict is 'reference; faster or slower (by more than 3 %), equivalent, small difference, inconclusive, not comparable.';
comment on column quant_tradeoff.peak_memory_gb is 'Peak memory, GB.';
comment on column quant_tradeoff.peak_memory_kind is 'What that figure holds.';
comment on column quant_tradeoff.file_gb is 'Weights on disk, GB.';
comment on column quant_tradeoff.memory_saved_gb is 'Less peak memory than the reference, GB; only at equal context.';
comment on column quant_tradeoff.peak_memory_ratio is 'Peak memory over that of the reference.';
comment on column quant_tradeoff.quality_gate is 'pass, warn, fail or unproven.';
comment on column quant_tradeoff.is_surely_dominated is 'Whether another is surely faster, smaller and of proven quality.';
comment on column quant_tradeoff.dominated_by is 'That other quantization.';
comment on column quant_tradeoff.reason is 'What is missing or doubtful.';
