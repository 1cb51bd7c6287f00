-- Questions 4 to 6. What outputs are worth comes from their checks alone: without them nothing is said of quality.
create or replace view answers_models as
with
pairs_of as (
    select *, format('{} against {} ({}, {} bit)', model, other_model, runtime, bits) as pair_name from model_comparison
),
quality as (
    select
        machine, 4 as question,
        count(*) filter (flips.prompt_count > 0) as comparison_count,
        sum(answer_count) filter (flips.prompt_count > 0) as request_count,
        list(distinct case
            when verdict = 'worse' or a.gate = 'pass' and b.gate = 'fail' then model || ' better'
            when verdict = 'better' or a.gate = 'fail' and b.gate = 'pass' then other_model || ' better'
            when flips.prompt_count > 0 then 'inconclusive'
        end) as verdicts,
        'prompts that only one of two models passes' as figure,
        arg_max(headline(lost_count + gained_count, null, null, label || ' against ' || other_label), (flips.prompt_count, label, other_label))
            filter (flips.prompt_count > 0) as headline,
        string_agg(
            format('{} against {}: ', label, other_label) || if(flips.prompt_count = 0, flips.reason, format(
                'of {} prompts both pass {}, only the first {}, only the second {}, p = {:.2f}', flips.prompt_count, both_count,
                lost_count, gained_count, p_value
            )), '; ' order by label, other_label
        ) as evidence
    from quality_flips as flips
    left join build_quality as a on a.build_id = flips.build_id
    left join build_quality as b on b.build_id = flips.other_build_id
    where kind = 'model' and server = 'lmstudio'
    group by machine
),
trade as (
    select
        machine, 5,
        count(*) filter (verdict != 'not comparable'),
        sum(request_count) filter (verdict != 'not comparable'),
        list_sort(list(distinct verdict) filter (verdict != 'not comparable')),
        'decode speed, ' || any_value(model || ' over ' || other_model order by pair_name),
        arg_max(
            headline(
                decode_tps_ratio, decode_tps_ratio_low, decode_tps_ratio_high, pair_name, runs := runs_a_side, kind := interval_kind
            ), (request_count, pair_name)
        ) filter (verdict != 'not comparable'),
        string_agg(
            if(decode_tps_ratio is null, format('{}: not comparable ({})', pair_name, reason), format(
                '{}: {}, {}, quality {} against {}, {}', pair_name, verdict,
                ratio_text(decode_tps_ratio, decode_tps_ratio_low, decode_tps_ratio_high), quality_gate, other_quality_gate,
                sample_text(request_count, runs_a_side)
            )), '; ' order by pair_name
        )
    from pairs_of
    group by machine
),
reach as (
    select
        machine, model,
        max(context_advertised) as advertised,
        max(context_usable) as usable,
        arg_max({'below': context_usable_below}, (coalesce(context_usable, -1), ladder_id)).below as usable_below,
        sum(request_count)::bigint as request_count
    from context_utilization
    where server = 'lmstudio'
    group by machine, model
),
longest as (
    select *, row_number() over (partition by machine order by advertised desc nulls last, model) as place from reach
),
context as (
    select
        a.machine, 6, if(b.model is null, 0, 1), a.request_count + coalesce(b.request_count, 0),
        case
            when a.usable >= b.usable_below and a.usable > b.usable then [a.model || ' usable to greater length']
            when b.usable >= a.usable_below and b.usable > a.usable then [b.model || ' usable to greater length']
            else []
        end,
        'usable context, tokens', headline(a.usable, null, null, a.model),
        concat_ws('; ', format('{}: usable to {:,} of {:,} tokens', a.model, a.usable, a.advertised),
            if(b.model is null, null, format('{}: usable to {:,} of {:,} tokens', b.model, b.usable, b.advertised)))
    from longest as a
    left join longest as b on b.machine = a.machine and b.place = 2
    where a.place = 1
)
select
    question, machine, comparison_count, request_count::bigint as request_count, figure,
    headline.value as figure_value, headline.low as figure_value_low, headline.high as figure_value_high,
    headline.name as figure_of, headline.runs as runs_a_side, headline.kind as interval_kind, evidence,
    joint_verdict(comparison_count, verdicts, 'depends on runtime and bits') as verdict
from (select * from quality union all select * from trade union all select * from context);

comment on view answers_models is 'One row per machine with something to say of two models and question 4, 5, 6.';
comment on column answers_models.question is 'Number in the plan.';
comment on column answers_models.machine is 'Chip, GPU cores, memory.';
comment on column answers_models.comparison_count is 'Comparisons behind the answer.';
comment on column answers_models.request_count is 'Requests behind it.';
comment on column answers_models.figure is 'What the headline figure is.';
comment on column answers_models.figure_value is 'The figure of the comparison with most requests.';
comment on column answers_models.figure_value_low is 'Lower end of its 95 % interval.';
comment on column answers_models.figure_value_high is 'Upper end of its 95 % interval.';
comment on column answers_models.figure_of is 'Which comparison that is.';
comment on column answers_models.evidence is 'All comparisons, in words.';
comment on column answers_models.verdict is 'What they say together.';
comment on column answers_models.runs_a_side is 'Runs behind the figure, of the side with fewer; NULL where it is no speed and no memory.';
comment on column answers_models.interval_kind is 'between runs: its interval holds what runs of this machine differ by; within this run: no configuration has two runs yet, and it does not.';
