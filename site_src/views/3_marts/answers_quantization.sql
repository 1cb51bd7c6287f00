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
        flips.machine, 7 as question,
        count(*) filter (flips.prompt_count > 0) as comparison_count,
        sum(answer_count) filter (flips.prompt_count > 0) as request_count,
        list_sort(list(distinct case
            when own.gate = 'fail' and reference.gate != 'fail' then 'breaks at ' || other_bits || ' bit'
            when verdict = 'worse' then 'worse at ' || other_bits || ' bit'
            when verdict = 'better' then 'better at ' || other_bits || ' bit'
            when own.gate = 'pass' then 'holds'
            when flips.prompt_count > 0 then 'inconclusive'
        end)) as verdicts,
        'prompts lost to fewer bits' as figure,
        arg_max(headline(lost_count, null, null, other_label || ' against ' || quantization), (flips.prompt_count, other_label))
            filter (flips.prompt_count > 0) as headline,
        string_agg(
            format('{} against {}: gate {}; ', other_label, quantization, coalesce(own.gate, 'unproven')) || if(
                flips.prompt_count = 0, flips.reason, format(
                    'of {} prompts {} lost, {} gained, p = {:.2f}', flips.prompt_count, lost_count, gained_count, p_value
                )
            ), '; ' order by other_label, quantization
        ) as evidence
    from quality_flips as flips
    left join build_quality as own on own.build_id = flips.other_build_id
    left join build_quality as reference on reference.build_id = flips.build_id
    where kind = 'reference' and server = 'lmstudio'
    group by flips.machine
),
worth as (
    select
        machine, 8,
        count(*) filter (verdict != 'not comparable'),
        sum(request_count) filter (verdict != 'not comparable'),
        list_sort(list(distinct case
            when verdict = 'not comparable' then null
            when is_undecided(verdict) then verdict
            when quality_gate = 'fail' and reference_quality_gate != 'fail' then 'worth it: fewer bits fail'
            when verdict = 'slower' then 'slower with fewer bits'
            when quality_gate = 'pass' then 'not worth it: fewer bits hold'
            when verdict = 'faster'
                then if(memory_saved_gb > 0, 'faster and smaller', 'faster') || ' with fewer bits, quality ' || quality_gate
            else 'level with fewer bits, quality ' || quality_gate
        end)),
        'decode speed over the highest precision measured',
        arg_max(
            headline(
                decode_tps_ratio, decode_tps_ratio_low, decode_tps_ratio_high, pair_name, runs := runs_a_side, kind := interval_kind
            ), (request_count, pair_name)
        ) filter (verdict != 'not comparable'),
        string_agg(
            if(decode_tps_ratio is null, format('{}: not comparable', pair_name), format(
                '{}: {}, {}, {} GB less, quality {}, {}', pair_name, verdict,
                ratio_text(decode_tps_ratio, decode_tps_ratio_low, decode_tps_ratio_high),
                coalesce(format('{:.1f}', memory_saved_gb), 'unknown'), quality_gate, sample_text(request_count, runs_a_side)
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
            headline(decode_tps, decode_tps_low, decode_tps_high, label, runs := decode_run_count, kind := interval_kind)
            order by configuration_id
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
    headline.name as figure_of, headline.runs as runs_a_side, headline.kind as interval_kind, evidence,
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
comment on column answers_quantization.runs_a_side is 'Runs behind the figure, of the side with fewer; NULL where it is no speed and no memory.';
comment on column answers_quantization.interval_kind is 'between runs: its interval holds what runs of this machine differ by; within this run: no configuration has two runs yet, and it does not.';
