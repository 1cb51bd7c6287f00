-- The reference is the highest precision measured of a model and runtime. Surely dominated: another quantization is faster
-- beyond both intervals, of which one at least is of two runs, needs at least 2 % less memory, and its quality is known to
-- be no worse: it passes, no test says that it lost, and the intervals of both pass rates meet. Best value is the smallest
-- whose quality is proven: without proof fewer bits always look better. Only peaks of one kind are ranked.
create or replace view quant_tradeoff as
with
sides as (
    select
        run_summary.*, quality.gate as quality_gate, quality.reason as quality_reason, quality.reference_gate,
        quality.passed_count as quality_passed, quality.checked_count, flips.lost_count, flips.gained_count,
        quality.passed_share_low, quality.passed_share_high, coalesce(flips.verdict = 'worse', false) as is_worse,
        coalesce(
            quality.gate = 'pass' and peak_memory_gb is not null and coalesce(context_effective >= 131072, true), false
        ) as is_proven,
        first_value(peak_memory_kind) over (
            partition by machine, server, model, runtime, is_proven
            order by peak_memory_kind = 'system, above baseline' desc, peak_memory_kind
        ) as ranked_kind
    from run_summary
    left join configuration_quality as quality using (configuration_id)
    left join (
        select other_build_id, lost_count, gained_count, verdict from quality_flips where kind = 'reference'
    ) as flips on flips.other_build_id = quality.build_id
    where run_summary.decode_tps is not null
),
eligible as (
    select
        *,
        is_proven and peak_memory_kind = ranked_kind as is_eligible,
        min(peak_memory_gb) filter (is_proven and peak_memory_kind = ranked_kind) over (
            partition by machine, server, model, runtime
        ) as least_gb
    from sides
),
placed as (
    select
        *,
        first_value(configuration_id) over (
            series order by
                coalesce(context_effective >= 131072, true) desc, bits desc nulls last, file_gb desc nulls last,
                quantization desc, request_count desc, configuration_id
        ) as reference_id,
        count(*) filter (is_eligible) over series as passed_count,
        if(is_eligible, row_number() over (
            partition by machine, server, model, runtime, is_eligible
            order by peak_memory_gb <= 1.02 * least_gb desc, if(peak_memory_gb <= 1.02 * least_gb, -decode_tps, peak_memory_gb),
                configuration_id
        ), null) as value_rank
    from eligible
    window series as (partition by machine, server, model, runtime)
),
dominated as (
    select worse.configuration_id, any_value(better.quantization order by better.decode_tps desc, better.configuration_id) as by
    from placed as worse
    inner join placed as better using (reference_id, peak_memory_kind)
    inner join pairs
        on pairs.obstacle is null and pairs.memory_obstacle is null and pairs.kind = 'quantization'
        and [pairs.a_id, pairs.b_id] in ([worse.configuration_id, better.configuration_id], [better.configuration_id, worse.configuration_id])
    where better.decode_tps_low > worse.decode_tps_high and better.peak_memory_gb <= 0.98 * worse.peak_memory_gb
        and better.interval_kind = 'between runs' and greatest(better.decode_run_count, worse.decode_run_count) > 1
        and better.quality_gate = 'pass' and not better.is_worse
        and coalesce(better.passed_share_high >= worse.passed_share_low, true)
    group by worse.configuration_id
),
compared as (
    select
        placed.*,
        reference.quantization as reference_quantization,
        configuration_id = reference_id as is_reference,
        ratios,
        dominated.by as dominated_by
    from placed
    left join (select configuration_id as reference_id, quantization from sides) as reference using (reference_id)
    left join dominated using (configuration_id)
    left join pair_ratios as ratios
        on ratios.kind = 'quantization'
        -- the reference has more bits, unless more bits were measured at a short context, which forbids to compare
        and [configuration_id, reference_id] in ([ratios.a_id, ratios.b_id], [ratios.b_id, ratios.a_id])
)
select
    configuration_id, label, machine, server, model, runtime, quantization, bits, context_effective,
    is_reference, reference_quantization,
    decode_tps, decode_tps_low, decode_tps_high, interval_kind, decode_count as request_count, run_count, decode_run_count,
    ratios.decode_tps_ratio, ratios.decode_tps_ratio_low, ratios.decode_tps_ratio_high,
    coalesce(ratios.prompt_count, 0) as prompt_count, coalesce(ratios.runs_a_side, 0) as runs_a_side,
    against_reference(is_reference, ratios.verdict, 'faster', 'slower') as verdict,
    peak_memory_gb, peak_memory_kind, file_gb,
    -ratios.peak_memory_difference_gb as memory_saved_gb,
    ratios.peak_memory_ratio, ratios.peak_memory_ratio_low, ratios.peak_memory_ratio_high,
    against_reference(is_reference, ratios.memory_verdict, 'larger', 'smaller') as memory_verdict,
    coalesce(quality_gate, 'unproven') as quality_gate, coalesce(reference_gate, 'unproven') as reference_quality_gate,
    quality_passed as passed_count, coalesce(checked_count, 0) as checked_count,
    lost_count, gained_count,
    dominated_by is not null as is_surely_dominated,
    dominated_by,
    if(passed_count = 0, null, coalesce(value_rank = 1, false)) as is_best_value,
    case
        when passed_count = 0 then 'no quality is proven, and without proof fewer bits always look better'
        when value_rank = 1 then 'smallest whose quality is proven'
        when is_proven and not is_eligible then 'its peak memory is of another kind than that of others'
    end as best_value_reason,
    nullif(concat_ws(
        '; ',
        case
            when is_reference or ratios.obstacle is not null then null
            when quantization = reference_quantization then 'another configuration of the reference''s quantization'
        end,
        if(is_reference, null, ratios.reason),
        if(quality_gate is null, 'quality not graded', quality_reason),
        if(suite = 'reference', 'all variants were made from 4-bit originals: differences in quality mean nothing', null)
    ), '') as reason,
    if(is_reference, null, ratios.memory_reason) as memory_reason
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
comment on column quant_tradeoff.peak_memory_ratio is 'Peak memory over that of the reference: geometric means over runs; only at equal context.';
comment on column quant_tradeoff.peak_memory_ratio_low is 'Lower end of its 95 % interval.';
comment on column quant_tradeoff.peak_memory_ratio_high is 'Upper end of its 95 % interval.';
comment on column quant_tradeoff.memory_verdict is 'larger or smaller than the reference (by more than 3 %), equivalent, small difference, inconclusive, not comparable; reference.';
comment on column quant_tradeoff.quality_gate is 'pass, warn, fail or unproven.';
comment on column quant_tradeoff.reference_quality_gate is 'Gate of the highest precision of its model and engine whose outputs are graded.';
comment on column quant_tradeoff.passed_count is 'Prompts that pass their checks.';
comment on column quant_tradeoff.checked_count is 'Prompts with a judged answer.';
comment on column quant_tradeoff.lost_count is 'Prompts that the reference passes and this quantization does not.';
comment on column quant_tradeoff.gained_count is 'Prompts that this quantization passes and the reference does not.';
comment on column quant_tradeoff.is_surely_dominated is 'Whether another is surely faster, smaller and of proven quality.';
comment on column quant_tradeoff.dominated_by is 'That other quantization.';
comment on column quant_tradeoff.reason is 'What is missing or doubtful.';
comment on column quant_tradeoff.is_best_value is 'Whether it is the smallest whose quality is proven, and none such of nearly its size is faster. NULL where no quality is proven.';
comment on column quant_tradeoff.best_value_reason is 'Why it is, or why that cannot be said.';
comment on column quant_tradeoff.memory_reason is 'Why memory is not compared, or not surely.';
comment on column quant_tradeoff.interval_kind is 'between runs: its interval holds what runs of this machine differ by; within this run: no configuration has two runs yet, and it does not.';
comment on column quant_tradeoff.runs_a_side is 'Runs behind the ratio, of the side with fewer.';
comment on column quant_tradeoff.decode_run_count is 'Runs behind the decode speed.';
