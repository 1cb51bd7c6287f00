-- Questions 1 to 3, from framework_delta and stability.
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
        list_sort(list(distinct verdict) filter (verdict not in ('not comparable', 'inconclusive'))) as verdicts,
        'decode speed, MLX over llama.cpp' as figure,
        arg_max(
            headline(decode_tps_ratio, decode_tps_ratio_low, decode_tps_ratio_high, pair_name), (request_count, pair_name)
        ) filter (verdict != 'not comparable') as headline,
        string_agg(
            if(decode_tps_ratio is null, format('{}: not comparable ({})', pair_name, reason), format(
                '{}: {}, {}, n = {}', pair_name, verdict,
                ratio_text(decode_tps_ratio, decode_tps_ratio_low, decode_tps_ratio_high), request_count
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
        list_sort(list(distinct memory_verdict) filter (memory_verdict not in ('not comparable', 'inconclusive'))),
        'peak memory, MLX over llama.cpp',
        arg_max(
            headline(peak_memory_ratio, peak_memory_ratio_low, peak_memory_ratio_high, pair_name), (request_count, pair_name)
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
steadiness as (
    select
        pairs_of.machine, pairs_of.request_count,
        case
            when mlx.cv_high < llama.cv_low then 'MLX'
            when llama.cv_high < mlx.cv_low then 'llama.cpp'
            when mlx.verdict = 'settled' and llama.verdict = 'settled' then 'level'
        end as ahead
    from pairs_of
    inner join stability as mlx on mlx.configuration_id = mlx_configuration_id
    inner join stability as llama on llama.configuration_id = llama_cpp_configuration_id
    where pairs_of.verdict != 'not comparable'
),
criteria as (
    select machine, 'speed' as criterion, ahead_of(verdict, 'faster', false) as ahead, request_count from pairs_of
    union all
    select machine, 'memory', ahead_of(memory_verdict, 'larger', true), request_count from pairs_of
    union all
    select machine, 'load time', ahead_of(load_verdict, 'slower', true), request_count from pairs_of
    union all
    select machine, 'stability', ahead, request_count from steadiness
),
by_criterion as (
    select
        machine, criterion, sum(request_count) as request_count,
        case
            when count(ahead) = 0 then 'not known'
            when count(distinct ahead) filter (ahead != 'level') > 1 then 'depends'
            else coalesce(any_value(ahead) filter (ahead != 'level'), 'level')
        end as ahead
    from criteria
    group by machine, criterion
),
production as (
    select
        machine, 3,
        count(*) filter (ahead != 'not known'),
        max(request_count),
        if(
            count(*) filter (ahead != 'not known') < 4, [],
            case
                when count(distinct ahead) filter (ahead not in ('level', 'not known')) = 0 then ['level']
                when count(distinct ahead) filter (ahead not in ('level', 'not known')) = 1
                    then list(distinct ahead) filter (ahead not in ('level', 'not known'))
                else ['trade-off']
            end
        ),
        'criteria decided of 4', headline(count(*) filter (ahead != 'not known'), null, null, null),
        string_agg(format('{}: {}', criterion, ahead), '; ' order by criterion)
    from by_criterion
    group by machine
)
select
    question, machine, comparison_count, request_count::bigint as request_count, figure,
    headline.value as figure_value, headline.low as figure_value_low, headline.high as figure_value_high,
    headline.name as figure_of, evidence,
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
