-- framework_delta, a figure a row. Who is ahead follows from the verdict: faster, earlier, smaller, loaded sooner.
create or replace view framework_ratios as
with
figures as (
    select
        delta.*,
        unnest([
            {
                'place': 1, 'figure': 'decode', 'ratio': decode_tps_ratio, 'low': decode_tps_ratio_low,
                'high': decode_tps_ratio_high, 'verdict': verdict, 'ahead': ahead_of(verdict, 'faster', false),
                'observed': request_count, 'counted': 'requests', 'runs': runs_a_side, 'kind': interval_kind, 'reason': reason
            },
            {
                'place': 2, 'figure': 'TTFT', 'ratio': ttft_ms_ratio, 'low': ttft_ms_ratio_low, 'high': ttft_ms_ratio_high,
                'verdict': ttft_verdict, 'ahead': ahead_of(ttft_verdict, 'later', true), 'observed': ttft_request_count,
                'counted': 'requests', 'runs': runs_a_side, 'kind': interval_kind,
                'reason': if(ttft_ms_ratio is null, reason, null)
            },
            {
                'place': 3, 'figure': 'memory', 'ratio': peak_memory_ratio, 'low': peak_memory_ratio_low,
                'high': peak_memory_ratio_high, 'verdict': memory_verdict,
                'ahead': ahead_of(memory_verdict, 'larger', true), 'observed': memory_run_count, 'counted': 'runs a side',
                'runs': memory_run_count, 'kind': null, 'reason': memory_reason
            },
            {
                'place': 4, 'figure': 'load time', 'ratio': load_s_ratio, 'low': load_s_ratio_low, 'high': load_s_ratio_high,
                'verdict': load_verdict, 'ahead': ahead_of(load_verdict, 'slower', true), 'observed': load_run_count,
                'counted': 'loads a side', 'runs': load_run_count, 'kind': null, 'reason': load_reason
            }
        ]) as one
    from framework_delta as delta
)
select
    machine, model, bits, pair, mlx_quantization, llama_cpp_quantization, mlx_configuration_id, llama_cpp_configuration_id,
    one.place as figure_place,
    one.figure as figure,
    one.ratio as ratio,
    one.low as ratio_low,
    one.high as ratio_high,
    one.verdict as verdict,
    coalesce(one.ahead, 'undecided') as ahead,
    coalesce(one.observed, 0) as observation_count,
    one.counted as observation_kind,
    coalesce(one.runs, 0) as runs_a_side,
    one.kind as interval_kind,
    nullif(concat_ws('; ', harness_reason, coalesce(obstacle, one.reason)), '') as reason
from figures
inner join framework_names on a_id = mlx_configuration_id and b_id = llama_cpp_configuration_id
order by machine, model, bits, pair, figure_place;

comment on view framework_ratios is 'One row per pair of MLX and llama.cpp and figure: the ratio MLX over llama.cpp, or why there is none.';
comment on column framework_ratios.machine is 'Chip, GPU cores, memory.';
comment on column framework_ratios.model is 'The model.';
comment on column framework_ratios.bits is 'Nominal bits per weight on both sides.';
comment on column framework_ratios.pair is 'Which pair: model and both quantizations.';
comment on column framework_ratios.mlx_quantization is 'Quantization on the MLX side.';
comment on column framework_ratios.llama_cpp_quantization is 'Quantization on the llama.cpp side.';
comment on column framework_ratios.mlx_configuration_id is 'Configuration on the MLX side.';
comment on column framework_ratios.llama_cpp_configuration_id is 'Configuration on the llama.cpp side.';
comment on column framework_ratios.figure_place is 'Order of the figures, from 1.';
comment on column framework_ratios.figure is 'decode: decode speed; TTFT: time to first token; memory: peak memory; load time.';
comment on column framework_ratios.ratio is 'MLX over llama.cpp. Above 1, MLX is faster, or later, larger, slower to load.';
comment on column framework_ratios.ratio_low is 'Lower end of its 95 % interval.';
comment on column framework_ratios.ratio_high is 'Upper end of its 95 % interval.';
comment on column framework_ratios.verdict is 'Which is faster, later, larger or slower by more than 3 %; equivalent, small difference, inconclusive, or not comparable.';
comment on column framework_ratios.ahead is 'MLX or llama.cpp, whichever is better by the verdict; level; undecided.';
comment on column framework_ratios.observation_count is 'How many observations it rests on.';
comment on column framework_ratios.observation_kind is 'What is counted: requests of both sides, or runs or loads on the side with fewer.';
comment on column framework_ratios.reason is 'Why it is not comparable, or what is doubtful.';
comment on column framework_ratios.runs_a_side is 'Runs behind it, of the side with fewer.';
comment on column framework_ratios.interval_kind is 'between runs: its interval holds what runs of this machine differ by; within this run: no configuration has two runs yet, and it does not.';
