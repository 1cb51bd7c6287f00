-- framework_delta_by_depth, a figure a row, where there is a ratio.
create or replace view framework_depth_ratios as
with
figures as (
    select
        depth.*,
        unnest([
            {
                'figure': 'decode', 'ratio': decode_tps_ratio, 'low': decode_tps_ratio_low, 'high': decode_tps_ratio_high,
                'verdict': verdict, 'ahead': ahead_of(verdict, 'faster', false)
            },
            {
                'figure': 'TTFT', 'ratio': ttft_ms_ratio, 'low': ttft_ms_ratio_low, 'high': ttft_ms_ratio_high,
                'verdict': ttft_verdict, 'ahead': ahead_of(ttft_verdict, 'later', true)
            }
        ]) as one
    from framework_delta_by_depth as depth
)
select
    machine, model, bits, pair, rung,
    one.figure as figure,
    one.ratio as ratio,
    one.low as ratio_low,
    one.high as ratio_high,
    one.verdict as verdict,
    coalesce(one.ahead, 'undecided') as ahead,
    pair_count,
    runs_a_side,
    row_number() over (partition by machine, pair, one.figure order by rung desc) = 1 as is_end,
    reason
from figures
inner join framework_names on a_id = mlx_configuration_id and b_id = llama_cpp_configuration_id
where one.ratio is not null
order by machine, model, bits, pair, figure, rung;

comment on view framework_depth_ratios is 'One row per pair of ladders, rung and figure that may be compared, for the chart.';
comment on column framework_depth_ratios.machine is 'Chip, GPU cores, memory.';
comment on column framework_depth_ratios.model is 'The model.';
comment on column framework_depth_ratios.bits is 'Nominal bits per weight on both sides.';
comment on column framework_depth_ratios.pair is 'Which pair: model and both quantizations.';
comment on column framework_depth_ratios.rung is 'Prompt length, tokens.';
comment on column framework_depth_ratios.figure is 'decode: decode speed; TTFT: time to first token.';
comment on column framework_depth_ratios.ratio is 'MLX over llama.cpp at that depth.';
comment on column framework_depth_ratios.ratio_low is 'Lower end of its 95 % interval.';
comment on column framework_depth_ratios.ratio_high is 'Upper end of its 95 % interval.';
comment on column framework_depth_ratios.verdict is 'What it says, with a margin of 3 %.';
comment on column framework_depth_ratios.ahead is 'Which runtime is better by the verdict; level; undecided.';
comment on column framework_depth_ratios.pair_count is 'Prompts of that length answered on both sides.';
comment on column framework_depth_ratios.is_end is 'Whether no deeper rung follows: where the chart writes the pair.';
comment on column framework_depth_ratios.reason is 'What is doubtful.';
comment on column framework_depth_ratios.runs_a_side is 'Ladders behind it, of the side with fewer.';
