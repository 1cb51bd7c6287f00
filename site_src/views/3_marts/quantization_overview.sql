-- Questions 7 to 9 of a machine. Models of the reference set were quantized again from 4-bit originals: what their answers
-- are worth says nothing about fewer bits.
create or replace view quantization_overview as
with
measured as (
    select
        machine,
        count(*) as quantization_count,
        count(distinct series_name) as series_count,
        count(*) filter (suite = 'reference') as reference_count,
        arg_max(
            {
                'label': label, 'tps': decode_tps, 'low': decode_tps_low, 'high': decode_tps_high, 'n': request_count,
                'runs': decode_run_count, 'kind': interval_kind
            }, decode_tps
        ) as fastest,
        -- of one kind: against a baseline where there is any
        arg_min(
            {'label': label, 'gb': peak_memory_gb, 'n': peak_memory_count},
            (peak_memory_kind != 'system, above baseline', peak_memory_kind, peak_memory_gb, label)
        ) filter (peak_memory_gb is not null) as smallest,
        count(*) filter (standing = 'on the front') as front_count,
        count(*) filter (standing = 'surely dominated') as dominated_count
    from quant_curve
    group by machine
),
said as (
    select
        machine,
        any_value(verdict) filter (question = 7) as loss_verdict,
        (any_value(figure_value) filter (question = 7))::bigint as loss_count,
        any_value(figure_of) filter (question = 7) as loss_of,
        any_value(request_count) filter (question = 7) as loss_request_count,
        any_value(missing) filter (question = 7) as loss_missing,
        any_value(verdict) filter (question = 8) as worth_verdict,
        any_value(figure_value) filter (question = 8) as decode_tps_ratio,
        any_value(figure_value_low) filter (question = 8) as decode_tps_ratio_low,
        any_value(figure_value_high) filter (question = 8) as decode_tps_ratio_high,
        any_value(figure_of) filter (question = 8) as worth_of,
        any_value(runs_a_side) filter (question = 8) as runs_a_side,
        any_value(interval_kind) filter (question = 8) as interval_kind,
        any_value(request_count) filter (question = 8) as request_count,
        any_value(missing) filter (question = 8) as worth_missing,
        any_value(settled_by) filter (question = 8) as settled_by
    from answers
    where question in (7, 8) and machine is not null
    group by machine
),
best as (
    select *, count(*) over (partition by machine) as best_count
    from quant_tradeoff
    where is_best_value and server = 'lmstudio'
    qualify row_number() over (partition by machine order by request_count desc, configuration_id) = 1
)
select
    machines.machine,
    coalesce(machines.is_plan, false) as is_plan,
    coalesce(quantization_count, 0) as quantization_count,
    coalesce(series_count, 0) as series_count,
    coalesce(reference_count, 0) as reference_count,
    fastest.label as fastest_label,
    fastest.tps as fastest_decode_tps, fastest.low as fastest_decode_tps_low, fastest.high as fastest_decode_tps_high,
    fastest.kind as fastest_interval_kind, coalesce(fastest.runs, 0) as fastest_run_count,
    coalesce(fastest.n, 0) as fastest_request_count,
    smallest.label as smallest_label, smallest.gb as smallest_memory_gb, coalesce(smallest.n, 0) as smallest_run_count,
    coalesce(front_count, 0) as front_count, coalesce(dominated_count, 0) as dominated_count,
    loss_verdict, loss_count, loss_of, coalesce(loss_request_count, 0) as loss_request_count, loss_missing,
    worth_verdict, said.decode_tps_ratio, said.decode_tps_ratio_low, said.decode_tps_ratio_high, worth_of,
    said.interval_kind, coalesce(said.runs_a_side, 0) as runs_a_side,
    coalesce(said.request_count, 0) as request_count, worth_missing, settled_by,
    coalesce(best_count, 0) as best_count,
    best.label as best_label, best.best_value_reason as best_reason,
    best.decode_tps as best_decode_tps, best.decode_tps_low as best_decode_tps_low, best.decode_tps_high as best_decode_tps_high,
    best.interval_kind as best_interval_kind, coalesce(best.decode_run_count, 0) as best_run_count,
    coalesce(best.request_count, 0) as best_request_count,
    best.peak_memory_gb as best_memory_gb
from (select 1 as one)
left join machines on true
left join measured using (machine)
left join said using (machine)
left join best using (machine)
order by machines.place;

comment on view quantization_overview is 'One row per machine, one without before anything was measured: what fewer bits cost and bring there, questions 7 to 9.';
comment on column quantization_overview.machine is 'Chip, GPU cores, memory; NULL before anything was measured.';
comment on column quantization_overview.is_plan is 'Whether it has runs through LM Studio.';
comment on column quantization_overview.quantization_count is 'Quantizations of a model in an engine with a decode speed.';
comment on column quantization_overview.series_count is 'Models in an engine.';
comment on column quantization_overview.reference_count is 'Quantizations of the reference set, of whose quality nothing can be said.';
comment on column quantization_overview.fastest_label is 'The fastest of all.';
comment on column quantization_overview.fastest_decode_tps is 'Its decode speed, tokens/s.';
comment on column quantization_overview.fastest_decode_tps_low is 'Lower end of its 95 % interval.';
comment on column quantization_overview.fastest_decode_tps_high is 'Upper end of its 95 % interval.';
comment on column quantization_overview.fastest_request_count is 'Requests behind it.';
comment on column quantization_overview.smallest_label is 'The one with least peak memory.';
comment on column quantization_overview.smallest_memory_gb is 'That memory, GB.';
comment on column quantization_overview.smallest_run_count is 'Runs behind it.';
comment on column quantization_overview.front_count is 'Quantizations on the front of their model and engine.';
comment on column quantization_overview.dominated_count is 'Those that are surely dominated.';
comment on column quantization_overview.loss_verdict is 'Answer to question 7; NULL without runs through LM Studio.';
comment on column quantization_overview.loss_count is 'Prompts that the reference passes and fewer bits do not.';
comment on column quantization_overview.loss_of is 'Of which comparison.';
comment on column quantization_overview.loss_request_count is 'Judged answers behind it.';
comment on column quantization_overview.loss_missing is 'What is missing for a better answer.';
comment on column quantization_overview.worth_verdict is 'Answer to question 8; NULL without runs through LM Studio.';
comment on column quantization_overview.decode_tps_ratio is 'Decode speed over the highest precision measured, of the comparison with most requests.';
comment on column quantization_overview.decode_tps_ratio_low is 'Lower end of its 95 % interval.';
comment on column quantization_overview.decode_tps_ratio_high is 'Upper end of its 95 % interval.';
comment on column quantization_overview.worth_of is 'Which comparison that is.';
comment on column quantization_overview.request_count is 'Requests behind the answer to question 8.';
comment on column quantization_overview.worth_missing is 'What is missing for a better answer.';
comment on column quantization_overview.settled_by is 'What would settle question 8.';
comment on column quantization_overview.best_count is 'Best values: one for each model and engine of which a quality is proven.';
comment on column quantization_overview.best_label is 'The one with most requests.';
comment on column quantization_overview.best_reason is 'Why it is.';
comment on column quantization_overview.best_decode_tps is 'Its decode speed, tokens/s.';
comment on column quantization_overview.best_decode_tps_low is 'Lower end of its 95 % interval.';
comment on column quantization_overview.best_decode_tps_high is 'Upper end of its 95 % interval.';
comment on column quantization_overview.best_request_count is 'Requests behind it.';
comment on column quantization_overview.best_memory_gb is 'Its peak memory, GB.';
comment on column quantization_overview.fastest_interval_kind is 'between runs: its interval holds what runs of this machine differ by; within this run: no configuration has two runs yet, and it does not.';
comment on column quantization_overview.fastest_run_count is 'Runs behind the fastest.';
comment on column quantization_overview.interval_kind is 'between runs: its interval holds what runs of this machine differ by; within this run: no configuration has two runs yet, and it does not.';
comment on column quantization_overview.runs_a_side is 'Runs behind that ratio, of the side with fewer.';
comment on column quantization_overview.best_interval_kind is 'between runs: its interval holds what runs of this machine differ by; within this run: no configuration has two runs yet, and it does not.';
comment on column quantization_overview.best_run_count is 'Runs behind the speed of the best value.';
