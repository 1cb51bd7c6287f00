-- t = fixed + bytes / bandwidth, least squares over quantizations: what of a token's time is not memory traffic.
create or replace view bandwidth_fit as
with
fitted as (
    select
        coalesce(machine, chip) as machine,
        model,
        runtime,
        harness,
        count(distinct quantization) as quantization_count,
        count(*) as point_count,
        finite(regr_intercept(1000 / decode_tps, gb_per_token)) as fixed_ms,
        1000 / nullif(finite(regr_slope(1000 / decode_tps, gb_per_token)), 0) as effective_bandwidth_gbs,
        finite(regr_r2(1000 / decode_tps, gb_per_token)) as r2,
        any_value(memory_bandwidth_gbs) as memory_bandwidth_gbs
    from weight_traffic
    where gb_per_token is not null
    group by coalesce(machine, chip), model, runtime, harness
)
select *, effective_bandwidth_gbs / memory_bandwidth_gbs as bandwidth_share
from fitted
where quantization_count >= 3
order by model, runtime, machine, harness;

comment on view bandwidth_fit is 'One row per model, engine, machine and harness with three quantizations or more: fixed time per token and effective bandwidth. Descriptive: few points.';
comment on column bandwidth_fit.machine is 'Machine, or chip of archived figures.';
comment on column bandwidth_fit.model is 'The model.';
comment on column bandwidth_fit.runtime is 'Engine that ran the model.';
comment on column bandwidth_fit.harness is 'How it was measured.';
comment on column bandwidth_fit.quantization_count is 'Quantizations.';
comment on column bandwidth_fit.point_count is 'Points.';
comment on column bandwidth_fit.fixed_ms is 'Time per token that is no memory traffic, ms.';
comment on column bandwidth_fit.effective_bandwidth_gbs is 'Bandwidth that the rest would need, GB/s.';
comment on column bandwidth_fit.r2 is 'Share of the variance explained.';
comment on column bandwidth_fit.memory_bandwidth_gbs is 'Memory bandwidth as the maker publishes it, GB/s.';
comment on column bandwidth_fit.bandwidth_share is 'Effective over published.';
