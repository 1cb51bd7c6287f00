-- Questions 4 and 5 of a machine, and the comparison with most requests behind the answer to the latter.
create or replace view models_overview as
with
measured as (
    select
        machine, count(*) as model_count, (sum(configuration_count))::bigint as configuration_count,
        string_agg(model, ', ' order by model) as models,
        arg_max(fastest_label, decode_tps) as fastest_label,
        arg_max(
            {
                'low': decode_tps_low, 'high': decode_tps_high, 'n': request_count, 'runs': decode_run_count, 'kind': interval_kind
            }, decode_tps
        ) as fastest,
        max(decode_tps) as fastest_decode_tps
    from model_roles
    group by machine
),
said as (
    select
        machine,
        any_value(verdict) filter (question = 4) as quality_verdict,
        any_value(evidence) filter (question = 4) as quality_evidence,
        (any_value(figure_value) filter (question = 4))::bigint as flip_count,
        any_value(figure_of) filter (question = 4) as quality_figure_of,
        any_value(request_count) filter (question = 4) as quality_request_count,
        any_value(missing) filter (question = 4) as quality_missing,
        any_value(settled_by) filter (question = 4) as quality_settled_by,
        any_value(verdict) filter (question = 5) as trade_verdict,
        any_value(missing) filter (question = 5) as trade_missing,
        any_value(settled_by) filter (question = 5) as trade_settled_by
    from answers
    where question in (4, 5) and machine is not null
    group by machine
),
headline as (
    select * from model_comparison
    where decode_tps_ratio is not null and verdict != 'not comparable'
    qualify row_number() over (
        partition by machine order by request_count desc, model, other_model, runtime, bits, configuration_id, other_configuration_id
    ) = 1
),
compared as (
    select machine, count(*) as pair_count, count(*) filter (verdict != 'not comparable') as comparable_count
    from model_comparison
    group by machine
)
select
    machines.machine,
    coalesce(machines.is_plan, false) as is_plan,
    coalesce(model_count, 0) as model_count,
    coalesce(measured.configuration_count, 0) as configuration_count,
    models,
    fastest_label, fastest_decode_tps, fastest.low as fastest_decode_tps_low, fastest.high as fastest_decode_tps_high,
    fastest.kind as fastest_interval_kind, coalesce(fastest.runs, 0) as fastest_run_count,
    coalesce(fastest.n, 0) as fastest_request_count,
    quality_verdict, quality_evidence, flip_count, quality_figure_of, coalesce(quality_request_count, 0) as quality_request_count,
    quality_missing, quality_settled_by,
    trade_verdict, trade_missing, trade_settled_by,
    coalesce(pair_count, 0) as pair_count, coalesce(comparable_count, 0) as comparable_count,
    headline.model, headline.other_model, headline.runtime, headline.bits,
    headline.verdict,
    headline.decode_tps_ratio, headline.decode_tps_ratio_low, headline.decode_tps_ratio_high,
    headline.interval_kind, coalesce(headline.runs_a_side, 0) as runs_a_side,
    coalesce(headline.request_count, 0) as request_count,
    headline.peak_memory_gb, headline.other_peak_memory_gb,
    headline.quality_gate, headline.other_quality_gate
from (select 1 as one)
left join machines on true
left join measured using (machine)
left join said using (machine)
left join compared using (machine)
left join headline using (machine)
order by machines.place;

comment on view models_overview is 'One row per machine, one without before anything was measured: what is known of two models there, questions 4 and 5.';
comment on column models_overview.machine is 'Chip, GPU cores, memory; NULL before anything was measured.';
comment on column models_overview.is_plan is 'Whether it has runs through LM Studio.';
comment on column models_overview.model_count is 'Models measured.';
comment on column models_overview.configuration_count is 'Quantizations and engines they were measured with.';
comment on column models_overview.models is 'Which models.';
comment on column models_overview.fastest_label is 'The fastest of all.';
comment on column models_overview.fastest_decode_tps is 'Its decode speed, tokens/s.';
comment on column models_overview.fastest_decode_tps_low is 'Lower end of its 95 % interval.';
comment on column models_overview.fastest_decode_tps_high is 'Upper end of its 95 % interval.';
comment on column models_overview.fastest_request_count is 'Requests behind it.';
comment on column models_overview.quality_verdict is 'Answer to question 4; NULL without runs through LM Studio.';
comment on column models_overview.quality_evidence is 'What it rests on, in words.';
comment on column models_overview.flip_count is 'Prompts that only one of two models passes.';
comment on column models_overview.quality_figure_of is 'Of which comparison.';
comment on column models_overview.quality_request_count is 'Judged answers behind it.';
comment on column models_overview.quality_missing is 'What is missing for a better answer.';
comment on column models_overview.quality_settled_by is 'What would settle it.';
comment on column models_overview.trade_verdict is 'Answer to question 5; NULL without runs through LM Studio.';
comment on column models_overview.trade_missing is 'What is missing for a better answer.';
comment on column models_overview.trade_settled_by is 'What would settle it.';
comment on column models_overview.pair_count is 'Two models at one runtime and bit width, comparable or not.';
comment on column models_overview.comparable_count is 'Those that are comparable.';
comment on column models_overview.model is 'First model of the comparison with most requests.';
comment on column models_overview.other_model is 'The other model.';
comment on column models_overview.runtime is 'Engine that ran both.';
comment on column models_overview.bits is 'Nominal bits per weight of both.';
comment on column models_overview.verdict is 'Which is faster by over 3 %, equivalent, small difference, inconclusive.';
comment on column models_overview.decode_tps_ratio is 'Decode speed, first over other.';
comment on column models_overview.decode_tps_ratio_low is 'Lower end of its 95 % interval.';
comment on column models_overview.decode_tps_ratio_high is 'Upper end of its 95 % interval.';
comment on column models_overview.request_count is 'Requests behind the ratio.';
comment on column models_overview.peak_memory_gb is 'Peak memory of the first, GB.';
comment on column models_overview.other_peak_memory_gb is 'Peak memory of the other, GB.';
comment on column models_overview.quality_gate is 'Quality of the first: pass, warn, fail or unproven.';
comment on column models_overview.other_quality_gate is 'Quality of the other.';
comment on column models_overview.fastest_interval_kind is 'between runs: its interval holds what runs of this machine differ by; within this run: no configuration has two runs yet, and it does not.';
comment on column models_overview.fastest_run_count is 'Runs behind the fastest.';
comment on column models_overview.interval_kind is 'between runs: its interval holds what runs of this machine differ by; within this run: no configuration has two runs yet, and it does not.';
comment on column models_overview.runs_a_side is 'Runs behind it, of the side with fewer.';
