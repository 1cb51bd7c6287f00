-- Of several configurations of a quantization the one of `candidates` stands for it. The front: none of the same model,
-- engine and server is at least as fast with no more memory. Only what is beyond the intervals too is surely dominated.
create or replace view quant_curve as
with
known as (
    select distinct model, parameters_total_b from stg_models
),
chosen as (
    select
        tradeoff.*,
        coalesce(tradeoff.file_gb * 8 / nullif(parameters_total_b, 0), if(tradeoff.runtime = 'mlx', mlx_bits(bits), bits)) as bits_per_weight,
        summary.suite, summary.peak_memory_gb_min, summary.peak_memory_count,
        quality.passed_share, quality.passed_share_low, quality.passed_share_high
    from quant_tradeoff as tradeoff
    inner join (select configuration_id from candidates) as picked using (configuration_id)
    left join (
        select configuration_id, suite, peak_memory_gb_min, peak_memory_count from run_summary
    ) as summary using (configuration_id)
    left join configuration_quality as quality using (configuration_id)
    left join known on known.model = tradeoff.model
),
beaten as (
    select distinct worse.configuration_id
    from chosen as worse
    inner join chosen as better using (machine, server, model, runtime, peak_memory_kind)
    where better.decode_tps >= worse.decode_tps and better.peak_memory_gb <= worse.peak_memory_gb
        and (better.decode_tps > worse.decode_tps or better.peak_memory_gb < worse.peak_memory_gb)
)
select
    configuration_id, label, machine, server, model, runtime, quantization, bits, suite,
    concat(model, ' · ', runtime) as series_name,
    bits_per_weight,
    decode_tps, decode_tps_low, decode_tps_high, interval_kind, request_count, run_count, decode_run_count,
    peak_memory_gb, peak_memory_gb_min, peak_memory_kind, coalesce(peak_memory_count, 0) as peak_memory_count,
    passed_share, passed_share_low, passed_share_high, coalesce(passed_count, 0) as passed_count, checked_count,
    quality_gate,
    concat(quantization, ' ', case quality_gate when 'pass' then '✓' when 'fail' then '✗' when 'warn' then '!' else '?' end) as mark,
    case
        when is_surely_dominated then 'surely dominated'
        when peak_memory_gb is null then 'memory not known'
        when beaten.configuration_id is not null then 'dominated, not surely'
        else 'on the front'
    end as standing,
    dominated_by, is_best_value, best_value_reason,
    reason
from chosen
left join beaten using (configuration_id)
order by machine, model, runtime, bits_per_weight nulls last, configuration_id;

comment on view quant_curve is 'One row per machine, model, engine and quantization: speed, memory and quality against its bits.';
comment on column quant_curve.configuration_id is 'The configuration that stands for it.';
comment on column quant_curve.label is 'Model, quantization, engine.';
comment on column quant_curve.machine is 'Chip, GPU cores, memory.';
comment on column quant_curve.server is 'The program that answered.';
comment on column quant_curve.model is 'The model.';
comment on column quant_curve.runtime is 'Engine that ran the model.';
comment on column quant_curve.quantization is 'Its quantization.';
comment on column quant_curve.bits is 'Nominal bits per weight.';
comment on column quant_curve.suite is 'Prompt suite.';
comment on column quant_curve.series_name is 'Model and engine: what a line of a chart joins.';
comment on column quant_curve.bits_per_weight is 'Size of the file in bits over the model''s weights; where either is not known the nominal bits, of MLX with its scales.';
comment on column quant_curve.decode_tps is 'Decode speed, tokens/s.';
comment on column quant_curve.decode_tps_low is 'Lower end of its 95 % interval.';
comment on column quant_curve.decode_tps_high is 'Upper end of its 95 % interval.';
comment on column quant_curve.request_count is 'Requests behind it.';
comment on column quant_curve.run_count is 'Runs.';
comment on column quant_curve.peak_memory_gb is 'Peak memory, GB: the highest of its runs.';
comment on column quant_curve.peak_memory_gb_min is 'The lowest peak of its runs, GB.';
comment on column quant_curve.peak_memory_kind is 'What that figure holds.';
comment on column quant_curve.peak_memory_count is 'Runs behind it.';
comment on column quant_curve.passed_share is 'Prompts passed over prompts judged.';
comment on column quant_curve.passed_share_low is 'Lower end of Wilson''s 95 % interval.';
comment on column quant_curve.passed_share_high is 'Upper end of it.';
comment on column quant_curve.passed_count is 'Prompts that pass their checks.';
comment on column quant_curve.checked_count is 'Prompts with a judged answer.';
comment on column quant_curve.quality_gate is 'pass, warn, fail or unproven.';
comment on column quant_curve.mark is 'Quantization with a sign for its gate: ✓ pass, ✗ fail, ! warn, ? unproven.';
comment on column quant_curve.standing is 'on the front; surely dominated; dominated, not surely: by the figures, within the intervals or by unproven quality; memory not known.';
comment on column quant_curve.dominated_by is 'The quantization that surely dominates it.';
comment on column quant_curve.is_best_value is 'Whether it is the smallest whose quality is proven; NULL where none is.';
comment on column quant_curve.best_value_reason is 'Why it is, or why that cannot be said.';
comment on column quant_curve.reason is 'What is missing or doubtful.';
comment on column quant_curve.interval_kind is 'between runs: its interval holds what runs of this machine differ by; within this run: no configuration has two runs yet, and it does not.';
comment on column quant_curve.decode_run_count is 'Runs behind the decode speed.';
