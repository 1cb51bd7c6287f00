-- The front page. What it says of the plan rests on runs through LM Studio alone: other machines have no pick, no answer.
create or replace view overview as
with
measured as (
    select
        machine,
        count(distinct model) as model_count,
        coalesce(sum(request_count), 0)::bigint as request_count,
        coalesce(sum(failed_count), 0)::bigint as failed_count
    from runs
    group by machine
),
rated as (
    select machine, count(*) filter (decode_tps is not null) as configuration_count from run_summary group by machine
),
latest as (
    select machine, label, decode_tps, decode_tps_low, decode_tps_high, decode_count, ttft_ms, ttft_ms_low, ttft_ms_high
    from runs
    where decode_tps is not null
    qualify row_number() over (partition by machine order by run_started_at desc, run_id) = 1
),
plan as (
    select machine, count(*) filter (state = 'measured') as measured_cell_count from plan_coverage group by machine
),
answered as (
    select machine, count(*) filter (is_answer(verdict)) as answered_count from answers group by machine
),
picks as (
    select * from recommendation
    where context_needed = 0 and priority = 'speed'
    qualify row_number() over (partition by machine order by memory_budget_gb desc) = 1
)
select
    machines.machine,
    (select count(*) from machines where contributor is null) as machine_count,
    coalesce(machines.is_plan, false) as is_plan,
    (select count(*) from machines where is_plan) as plan_machine_count,
    coalesce(machines.run_count, 0) as run_count,
    coalesce(model_count, 0) as model_count,
    coalesce(measured.request_count, 0) as request_count,
    coalesce(failed_count, 0) as failed_count,
    coalesce(rated.configuration_count, 0) as configuration_count,
    (select count(*) from damaged_files where damaged_files.contributor is null) as damaged_count,
    (select count(*) from stg_plan) as cell_count,
    coalesce(measured_cell_count, 0) as measured_cell_count,
    (select count(distinct question) from answers) as question_count,
    coalesce(answered_count, 0) as answered_count,
    machines.latest_run_at,
    latest.label as latest_label,
    latest.decode_tps as latest_decode_tps,
    latest.decode_tps_low as latest_decode_tps_low,
    latest.decode_tps_high as latest_decode_tps_high,
    latest.decode_count as latest_decode_count,
    latest.ttft_ms as latest_ttft_ms,
    latest.ttft_ms_low as latest_ttft_ms_low,
    latest.ttft_ms_high as latest_ttft_ms_high,
    picks.verdict as pick_verdict,
    picks.label as pick_label,
    picks.decode_tps as pick_decode_tps,
    picks.decode_tps_low as pick_decode_tps_low,
    picks.decode_tps_high as pick_decode_tps_high,
    picks.interval_kind as pick_interval_kind,
    picks.decode_run_count as pick_run_count,
    picks.request_count as pick_request_count,
    picks.memory_gb as pick_memory_gb,
    picks.tied_with as pick_tied_with,
    picks.confidence as pick_confidence,
    picks.confidence_reason as pick_confidence_reason,
    picks.reason as pick_reason
from (select 1 as one)
left join machines on true
left join measured using (machine)
left join rated using (machine)
left join latest using (machine)
left join plan using (machine)
left join answered using (machine)
left join picks using (machine)
order by machines.place;

comment on view overview is 'One row per machine, or one without before anything was measured: what a reader should know first.';
comment on column overview.machine is 'Chip, GPU cores, memory.';
comment on column overview.machine_count is 'Machines measured in all.';
comment on column overview.is_plan is 'Whether any run went through LM Studio.';
comment on column overview.plan_machine_count is 'Machines measured through LM Studio in all.';
comment on column overview.run_count is 'Runs on this machine.';
comment on column overview.model_count is 'Models measured.';
comment on column overview.request_count is 'Measured requests sent.';
comment on column overview.failed_count is 'Those that failed.';
comment on column overview.configuration_count is 'Configurations with a decode speed.';
comment on column overview.damaged_count is 'Files of all machines that had to be left out.';
comment on column overview.cell_count is 'Cells of the plan.';
comment on column overview.measured_cell_count is 'Those measured on this machine through LM Studio.';
comment on column overview.question_count is 'Questions of the plan.';
comment on column overview.answered_count is 'Those with an answer on this machine.';
comment on column overview.latest_run_at is 'When the latest run began, UTC.';
comment on column overview.latest_label is 'Model, quantization, engine of the latest run with a decode speed.';
comment on column overview.latest_decode_tps is 'Its decode speed, tokens/s.';
comment on column overview.latest_decode_tps_low is 'Lower end of its 95 % interval.';
comment on column overview.latest_decode_tps_high is 'Upper end of its 95 % interval.';
comment on column overview.latest_decode_count is 'Requests behind it.';
comment on column overview.latest_ttft_ms is 'Its time to first token.';
comment on column overview.latest_ttft_ms_low is 'Lower end of its 95 % interval.';
comment on column overview.latest_ttft_ms_high is 'Upper end of its 95 % interval.';
comment on column overview.pick_verdict is 'recommended, level or nothing measured fits: the fastest for short prompts with the largest budget.';
comment on column overview.pick_label is 'Which that is.';
comment on column overview.pick_decode_tps is 'Its decode speed, tokens/s.';
comment on column overview.pick_decode_tps_low is 'Lower end of its 95 % interval.';
comment on column overview.pick_decode_tps_high is 'Upper end of its 95 % interval.';
comment on column overview.pick_request_count is 'Requests behind it.';
comment on column overview.pick_memory_gb is 'Its peak memory, GB.';
comment on column overview.pick_tied_with is 'Those that cannot be told from it.';
comment on column overview.pick_confidence is 'high, medium or low.';
comment on column overview.pick_confidence_reason is 'What lowers it.';
comment on column overview.pick_reason is 'Why there is none.';
comment on column overview.pick_interval_kind is 'between runs: its interval holds what runs of this machine differ by; within this run: no configuration has two runs yet, and it does not.';
comment on column overview.pick_run_count is 'Runs behind it.';
