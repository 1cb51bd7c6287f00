-- Questions 1 to 3, from framework_delta and framework_criteria.
create or replace view answers_runtime as
with
pairs_of as (
    select
        *,
        format('{} {} bit ({} / {})', model, bits, mlx_quantization, llama_cpp_quantization) as pair_name
    from framework_delta
),
speed as (
    select
        machine, 1 as question,
        count(*) filter (verdict != 'not comparable') as comparison_count,
        sum(request_count) filter (verdict != 'not comparable') as request_count,
        list_sort(list(distinct verdict) filter (verdict != 'not comparable')) as verdicts,
        'decode speed, MLX over llama.cpp' as figure,
        arg_max(
            headline(
                decode_tps_ratio, decode_tps_ratio_low, decode_tps_ratio_high, pair_name, runs := runs_a_side, kind := interval_kind
            ), (request_count, pair_name)
        ) filter (verdict != 'not comparable') as headline,
        string_agg(
            if(decode_tps_ratio is null, format('{}: not comparable ({})', pair_name, reason), format(
                '{}: {}, {}, {}', pair_name, verdict,
                ratio_text(decode_tps_ratio, decode_tps_ratio_low, decode_tps_ratio_high), sample_text(request_count, runs_a_side)
            )), '; ' order by pair_name
        ) as evidence
    from pairs_of
    group by machine
),
memory as (
    select
        machine, 2,
        count(*) filter (memory_verdict != 'not comparable'),
        sum(memory_run_count) filter (memory_verdict != 'not comparable'),
        list_sort(list(distinct memory_verdict) filter (memory_verdict != 'not comparable')),
        'peak memory, MLX over llama.cpp',
        arg_max(
            headline(peak_memory_ratio, peak_memory_ratio_low, peak_memory_ratio_high, pair_name, runs := memory_run_count),
            (request_count, pair_name)
        ) filter (memory_verdict != 'not comparable'),
        string_agg(
            if(peak_memory_ratio is null, format('{}: not comparable ({})', pair_name, memory_reason), format(
                '{}: {}, {:+.1f} GB, {}, n = {} runs a side', pair_name, memory_verdict, peak_memory_difference_gb,
                ratio_text(peak_memory_ratio, peak_memory_ratio_low, peak_memory_ratio_high), memory_run_count
            )), '; ' order by pair_name
        )
    from pairs_of
    group by machine
),
production as (
    select
        machine, 3,
        count(*) filter (verdict != 'not known'),
        max(request_count),
        if(
            count(*) filter (verdict != 'not known') < 4, [],
            case
                when count(distinct verdict) filter (verdict not in ('level', 'not known')) = 0 then ['level']
                when count(distinct verdict) filter (verdict not in ('level', 'not known')) = 1
                    then list(distinct verdict) filter (verdict not in ('level', 'not known'))
                else ['trade-off']
            end
        ),
        'criteria decided of 4', headline(count(*) filter (verdict != 'not known'), null, null, null),
        string_agg(format('{}: {}', criterion, verdict), '; ' order by criterion)
    from framework_criteria
    group by machine
)
select
    question, machine, comparison_count, request_count::bigint as request_count, figure,
    headline.value as figure_value, headline.low as figure_value_low, headline.high as figure_value_high,
    headline.name as figure_of, headline.runs as runs_a_side, headline.kind as interval_kind, evidence,
    if(
        question = 3 and comparison_count between 1 and 3, 'not all measured',
        joint_verdict(comparison_count, verdicts, 'depends on model and bits')
    ) as verdict
from (select * from speed union all select * from memory union all select * from production);

comment on view answers_runtime is 'One row per machine with both runtimes and question 1, 2, 3: MLX against llama.cpp.';
comment on column answers_runtime.question is 'Number in the plan.';
comment on column answers_runtime.machine is 'Chip, GPU cores, memory.';
comment on column answers_runtime.comparison_count is 'Comparisons behind the answer; of question 3 criteria.';
comment on column answers_runtime.request_count is 'Requests behind it; of question 2 runs.';
comment on column answers_runtime.figure is 'What the headline figure is.';
comment on column answers_runtime.figure_value is 'The figure of the comparison with most requests.';
comment on column answers_runtime.figure_value_low is 'Lower end of its 95 % interval.';
comment on column answers_runtime.figure_value_high is 'Upper end of its 95 % interval.';
comment on column answers_runtime.figure_of is 'Which comparison that is.';
comment on column answers_runtime.evidence is 'All comparisons, in words.';
comment on column answers_runtime.verdict is 'What they say together.';
comment on column answers_runtime.runs_a_side is 'Runs behind the figure, of the side with fewer; NULL where it is no speed and no memory.';
comment on column answers_runtime.interval_kind is 'between runs: its interval holds what runs of this machine differ by; within this run: no configuration has two runs yet, and it does not.';
