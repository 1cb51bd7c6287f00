create or replace view framework_overview as
with
measured as (
    select
        machine,
        count(*) filter (runtime = 'mlx') as mlx_count,
        count(*) filter (runtime = 'llama.cpp') as llama_cpp_count
    from run_summary
    where decode_tps is not null
    group by machine
),
pairs_of as (
    select
        machine,
        count(*) as pair_count,
        count(*) filter (verdict != 'not comparable') as comparable_count,
        count(*) filter (ahead = 'MLX') as mlx_ahead_count,
        count(*) filter (ahead = 'llama.cpp') as llama_cpp_ahead_count,
        count(*) filter (ahead = 'level') as level_count,
        count(*) filter (is_undecided(verdict)) as inconclusive_count
    from framework_ratios
    where figure = 'decode'
    group by machine
),
obstacles as (
    select machine, reason, count(*) as reason_count
    from framework_ratios
    where figure = 'decode' and verdict = 'not comparable'
    group by machine, reason
    qualify row_number() over (partition by machine order by count(*) desc, reason) = 1
),
said as (
    select
        machine,
        any_value(verdict) filter (question = 1) as speed_verdict,
        any_value(figure_value) filter (question = 1) as decode_tps_ratio,
        any_value(figure_value_low) filter (question = 1) as decode_tps_ratio_low,
        any_value(figure_value_high) filter (question = 1) as decode_tps_ratio_high,
        any_value(figure_of) filter (question = 1) as decode_tps_ratio_of,
        any_value(request_count) filter (question = 1) as request_count,
        any_value(runs_a_side) filter (question = 1) as runs_a_side,
        any_value(interval_kind) filter (question = 1) as interval_kind,
        any_value(runs_a_side) filter (question = 2) as memory_runs_a_side,
        any_value(verdict) filter (question = 2) as memory_verdict,
        any_value(figure_value) filter (question = 2) as peak_memory_ratio,
        any_value(figure_value_low) filter (question = 2) as peak_memory_ratio_low,
        any_value(figure_value_high) filter (question = 2) as peak_memory_ratio_high,
        any_value(figure_of) filter (question = 2) as peak_memory_ratio_of,
        any_value(comparison_count) filter (question = 2) as memory_pair_count,
        any_value(verdict) filter (question = 3) as production_verdict,
        any_value(comparison_count) filter (question = 3) as criterion_count
    from answers_runtime
    group by machine
)
select
    machines.machine,
    coalesce(mlx_count, 0) as mlx_count,
    coalesce(llama_cpp_count, 0) as llama_cpp_count,
    coalesce(pair_count, 0) as pair_count,
    coalesce(comparable_count, 0) as comparable_count,
    coalesce(pair_count - comparable_count, 0) as not_comparable_count,
    coalesce(mlx_ahead_count, 0) as mlx_ahead_count,
    coalesce(llama_cpp_ahead_count, 0) as llama_cpp_ahead_count,
    coalesce(level_count, 0) as level_count,
    coalesce(inconclusive_count, 0) as inconclusive_count,
    obstacles.reason,
    coalesce(reason_count, 0) as reason_count,
    said.* exclude (machine)
from (select 1 as one)
left join machines on true
left join measured on measured.machine = machines.machine
left join pairs_of on pairs_of.machine = machines.machine
left join obstacles on obstacles.machine = machines.machine
left join said on said.machine = machines.machine
order by place;

comment on view framework_overview is 'One row per machine, one without machine before anything was measured: what pairs of MLX and llama.cpp say together.';
comment on column framework_overview.machine is 'Chip, GPU cores, memory; NULL before anything was measured.';
comment on column framework_overview.mlx_count is 'MLX configurations with a decode speed.';
comment on column framework_overview.llama_cpp_count is 'llama.cpp configurations with a decode speed.';
comment on column framework_overview.pair_count is 'Pairs of the same model and nominal bits.';
comment on column framework_overview.comparable_count is 'Those whose speeds may be compared.';
comment on column framework_overview.not_comparable_count is 'Those whose speeds may not.';
comment on column framework_overview.mlx_ahead_count is 'Pairs in which MLX decodes faster by more than 3 %.';
comment on column framework_overview.llama_cpp_ahead_count is 'Pairs in which llama.cpp does.';
comment on column framework_overview.level_count is 'Pairs that are equivalent or differ by little.';
comment on column framework_overview.inconclusive_count is 'Pairs whose intervals decide nothing.';
comment on column framework_overview.reason is 'Why most of the pairs that are not comparable are not.';
comment on column framework_overview.reason_count is 'Pairs with this reason.';
comment on column framework_overview.speed_verdict is 'Answer to question 1: who decodes faster.';
comment on column framework_overview.decode_tps_ratio is 'Decode speed, MLX over llama.cpp, of the pair with most requests.';
comment on column framework_overview.decode_tps_ratio_low is 'Lower end of its 95 % interval.';
comment on column framework_overview.decode_tps_ratio_high is 'Upper end of its 95 % interval.';
comment on column framework_overview.decode_tps_ratio_of is 'Which pair that is.';
comment on column framework_overview.request_count is 'Requests behind all comparable pairs.';
comment on column framework_overview.memory_verdict is 'Answer to question 2: who needs more memory.';
comment on column framework_overview.peak_memory_ratio is 'Peak memory, MLX over llama.cpp, of the pair with most requests.';
comment on column framework_overview.peak_memory_ratio_low is 'Lower end of its 95 % interval.';
comment on column framework_overview.peak_memory_ratio_high is 'Upper end of its 95 % interval.';
comment on column framework_overview.peak_memory_ratio_of is 'Which pair that is.';
comment on column framework_overview.memory_pair_count is 'Pairs whose memory may be compared.';
comment on column framework_overview.production_verdict is 'Answer to question 3: which suits production.';
comment on column framework_overview.criterion_count is 'Criteria of four that are decided.';
comment on column framework_overview.runs_a_side is 'Runs behind that ratio, of the side with fewer.';
comment on column framework_overview.interval_kind is 'between runs: its interval holds what runs of this machine differ by; within this run: no configuration has two runs yet, and it does not.';
comment on column framework_overview.memory_runs_a_side is 'Runs behind the ratio of memory, of the side with fewer.';
