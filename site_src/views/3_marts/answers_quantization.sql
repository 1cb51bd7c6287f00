-- Questions 7 to 9. How much quality is lost, and so what the memory is worth, nothing but graded outputs can say.
create or replace view answers_quantization as
with
others as (
    select
        *,
        format('{} {} {} against {}', model, runtime, quantization, reference_quantization) as pair_name,
        coalesce(quality_gate = 'pass', false) as is_proven
    from quant_tradeoff
    where not is_reference and server = 'lmstudio'
),
loss as (
    select
        machine, 7 as question,
        count(*) filter (quality_gate != 'unproven') as comparison_count,
        sum(request_count) filter (quality_gate != 'unproven') as request_count,
        list_sort(list(distinct case quality_gate when 'fail' then 'fails at ' || bits || ' bit' when 'pass' then 'holds' end))
            as verdicts,
        null::varchar as figure, headline(null, null, null, null) as headline,
        string_agg(format('{}: quality {}', pair_name, quality_gate), '; ' order by pair_name) as evidence
    from others
    group by machine
),
worth as (
    select
        machine, 8,
        count(*) filter (verdict != 'not comparable'),
        sum(request_count) filter (verdict != 'not comparable'),
        list_sort(list(distinct case
            when verdict in ('not comparable', 'inconclusive') then null
            when quality_gate = 'fail' then 'worth it: fewer bits fail'
            when verdict = 'slower' then 'slower with fewer bits'
            when quality_gate = 'pass' then 'not worth it: fewer bits hold'
            when verdict = 'faster'
                then if(memory_saved_gb > 0, 'faster and smaller', 'faster') || ' with fewer bits, quality ' || quality_gate
            else 'level with fewer bits, quality ' || quality_gate
        end)),
        'decode speed over the highest precision measured',
        arg_max(
            headline(decode_tps_ratio, decode_tps_ratio_low, decode_tps_ratio_high, pair_name), (request_count, pair_name)
        ) filter (verdict != 'not comparable'),
        string_agg(
            if(decode_tps_ratio is null, format('{}: not comparable', pair_name), format(
                '{}: {}, {}, {} GB less, quality {}, n = {}', pair_name, verdict,
                ratio_text(decode_tps_ratio, decode_tps_ratio_low, decode_tps_ratio_high),
                coalesce(format('{:.1f}', memory_saved_gb), 'unknown'), quality_gate, request_count
            )), '; ' order by pair_name
        )
    from others
    group by machine
),
value as (
    select
        machine, 9,
        count(*) filter (is_best_value),
        sum(request_count) filter (is_best_value),
        list_sort(list(distinct label) filter (is_best_value)),
        'decode speed, tokens/s', any_value(
            headline(decode_tps, decode_tps_low, decode_tps_high, label) order by configuration_id
        ) filter (is_best_value),
        coalesce(
            string_agg(format('{}: {}', label, best_value_reason), '; ' order by label) filter (is_best_value),
            any_value(best_value_reason order by configuration_id)
        )
    from quant_tradeoff
    where server = 'lmstudio'
    group by machine
)
select
    question, machine, comparison_count, request_count::bigint as request_count, figure,
    headline.value as figure_value, headline.low as figure_value_low, headline.high as figure_value_high,
    headline.name as figure_of, evidence,
    joint_verdict(comparison_count, verdicts, if(question = 9, 'one for each model and runtime', 'depends on model and bits')) as verdict
from (select * from loss union all select * from worth union all select * from value);

comment on view answers_quantization is 'One row per machine with something to say of quantizations and question 7, 8, 9.';
comment on column answers_quantization.question is 'Number in the plan.';
comment on column answers_quantization.machine is 'Chip, GPU cores, memory.';
comment on column answers_quantization.comparison_count is 'Comparisons behind the answer.';
comment on column answers_quantization.request_count is 'Requests behind it.';
comment on column answers_quantization.figure is 'What the headline figure is.';
comment on column answers_quantization.figure_value is 'The figure of the comparison with most requests.';
comment on column answers_quantization.figure_value_low is 'Lower end of its 95 % interval.';
comment on column answers_quantization.figure_value_high is 'Upper end of its 95 % interval.';
comment on column answers_quantization.figure_of is 'Which comparison that is.';
comment on column answers_quantization.evidence is 'All comparisons, in words.';
comment on column answers_quantization.verdict is 'What they say together.';
