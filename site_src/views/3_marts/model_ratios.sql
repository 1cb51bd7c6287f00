-- The four ratios of `model_comparison`, one below the other; what has none is missing here, and its reason stands there.
create or replace view model_ratios as
with
figures as (
    select *, 1 as place, 'decode' as figure, decode_tps_ratio as figure_ratio, decode_tps_ratio_low as figure_ratio_low,
        decode_tps_ratio_high as figure_ratio_high, verdict as figure_verdict, request_count as sample_count, 'requests' as sample_kind,
        runs_a_side as figure_runs
    from model_comparison
    union all
    select *, 2, 'TTFT', ttft_ms_ratio, ttft_ms_ratio_low, ttft_ms_ratio_high, ttft_verdict, ttft_request_count, 'requests', runs_a_side
    from model_comparison
    union all
    select *, 3, 'memory', peak_memory_ratio, peak_memory_ratio_low, peak_memory_ratio_high, memory_verdict, memory_run_count,
        'runs of the side with fewer', memory_run_count
    from model_comparison
    union all
    select *, 4, 'load time', load_s_ratio, load_s_ratio_low, load_s_ratio_high, load_verdict, load_run_count,
        'loads of the side with fewer', load_run_count
    from model_comparison
)
select
    machine, model, other_model, runtime, bits, quantization, other_quantization, configuration_id, other_configuration_id,
    concat(
        figure, ' · ',
        -- two models alone need not be named on every line
        if(min([model, other_model]) over same_machine = max([model, other_model]) over same_machine, '', model || ' / ' || other_model || ' · '),
        runtime, ' ', if(quantization = other_quantization, quantization, quantization || ' / ' || other_quantization)
    ) as line_name,
    figure, figure_ratio, figure_ratio_low, figure_ratio_high,
    figure_verdict as verdict,
    sample_count, sample_kind, figure_runs as runs_a_side
from figures
where figure_ratio is not null
window same_machine as (partition by machine)
order by machine, place, model, other_model, runtime, bits, configuration_id, other_configuration_id;

comment on view model_ratios is 'One row per two models at one runtime and bit width, and figure of theirs: the first over the other.';
comment on column model_ratios.machine is 'Chip, GPU cores, memory.';
comment on column model_ratios.model is 'The first model.';
comment on column model_ratios.other_model is 'The other model.';
comment on column model_ratios.runtime is 'Engine that ran both.';
comment on column model_ratios.bits is 'Nominal bits per weight of both.';
comment on column model_ratios.quantization is 'Quantization of the first.';
comment on column model_ratios.other_quantization is 'Quantization of the other.';
comment on column model_ratios.configuration_id is 'The first configuration.';
comment on column model_ratios.other_configuration_id is 'The other.';
comment on column model_ratios.line_name is 'Figure, engine and quantization; the models where there are more than two.';
comment on column model_ratios.figure is 'decode, TTFT, memory or load time.';
comment on column model_ratios.figure_ratio is 'First over other.';
comment on column model_ratios.figure_ratio_low is 'Lower end of its 95 % interval.';
comment on column model_ratios.figure_ratio_high is 'Upper end of its 95 % interval.';
comment on column model_ratios.verdict is 'Which model is ahead or behind by over 3 %, equivalent, small difference, inconclusive.';
comment on column model_ratios.sample_count is 'How many samples are behind it.';
comment on column model_ratios.sample_kind is 'Of what.';
comment on column model_ratios.runs_a_side is 'Runs behind it, of the side with fewer.';
