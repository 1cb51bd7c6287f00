create or replace view answers_overview as
with
counted as (
    select
        machine,
        count(*) as question_count,
        count(*) filter (is_answer(verdict)) as answered_count,
        any_value(settled_by order by question) filter (not is_answer(verdict)) as first_step
    from answers
    group by machine
)
select
    machines.machine,
    coalesce(is_plan, false) as is_plan,
    counted.question_count,
    counted.answered_count,
    counted.first_step
from (select 1 as one)
left join machines on true
-- a machine without LM Studio has the questions that nobody has answered yet
left join counted on counted.machine is not distinct from if(is_plan, machines.machine, null)
order by machines.place;

comment on view answers_overview is 'One row per machine, or one without before anything was measured: how far the questions are answered.';
comment on column answers_overview.machine is 'Chip, GPU cores, memory; NULL before anything was measured.';
comment on column answers_overview.is_plan is 'Whether any run went through LM Studio: only those answer questions.';
comment on column answers_overview.question_count is 'Questions of the plan; NULL where only other machines can answer them.';
comment on column answers_overview.answered_count is 'Those with an answer on this machine.';
comment on column answers_overview.first_step is 'What would settle the first open question.';
