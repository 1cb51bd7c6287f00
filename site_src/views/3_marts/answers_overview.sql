create or replace view answers_overview as
select
    count(distinct question) as question_count,
    count(distinct question) filter (verdict not in ('not measured', 'not all measured', 'inconclusive')) as answered_count,
    count(distinct machine) as machine_count,
    any_value(settled_by order by machine, question) filter (verdict in ('not measured', 'not all measured', 'inconclusive'))
        as first_step
from answers;

comment on view answers_overview is 'One row: how far the questions are answered.';
comment on column answers_overview.question_count is 'Questions of the plan.';
comment on column answers_overview.answered_count is 'Those with an answer on some machine.';
comment on column answers_overview.machine_count is 'Machines measured through LM Studio.';
comment on column answers_overview.first_step is 'What would settle the first open question.';
