-- The plan's nine questions. What would settle one is the first of `next_runs` that serves it.
create or replace view answers as
with
questions(question, asked, needs) as (
    values
        (1, 'At the same quantization, is MLX or llama.cpp faster?', 'a model measured with both runtimes at the same bits'),
        (2, 'How far apart are they in memory?', 'a model measured with both runtimes at the same bits and context'),
        (3, 'Which of the two suits production?', 'speed, memory, load time and stability of both runtimes'),
        (4, 'Which model writes better code and reasons better?', 'graded outputs of both models'),
        (5, 'What is the trade between performance and quality of the two models?', 'both models measured at the same runtime and bits'),
        (6, 'Is 256 K of context of more use than 196 K?', 'a context ladder of each model'),
        (7, 'How much quality do 4, 6 and 8 bit lose?', 'graded outputs of several quantizations of a model'),
        (8, 'Is the gain worth the extra memory?', 'several quantizations of a model, and their outputs graded'),
        (9, 'Which variant is the best value?', 'graded outputs: without them fewer bits always look better')
),
machines as (
    select distinct machine from stg_runs where server = 'lmstudio' and contributor is null
),
said as (
    select * from answers_runtime union all by name select * from answers_models union all by name select * from answers_quantization
),
plan as (
    select
        coverage.machine,
        count(*) as cell_count,
        count(*) filter (state != 'measured') as missing_count
    from plan_coverage as coverage
    group by coverage.machine
),
settling as (
    select machine, question, subject, why, command, estimated_minutes
    from next_runs
    qualify row_number() over (partition by machine, question order by run_rank) = 1
)
select
    machines.machine,
    questions.question,
    questions.asked,
    coalesce(said.verdict, 'not measured') as verdict,
    said.figure, said.figure_value, said.figure_value_low, said.figure_value_high, said.figure_of,
    said.runs_a_side, said.interval_kind,
    said.evidence,
    coalesce(said.comparison_count, 0) as comparison_count,
    coalesce(said.request_count, 0) as request_count,
    nullif(concat_ws(
        '; ',
        if(not is_answer(coalesce(said.verdict, 'not measured')), 'it needs ' || needs, null),
        if(questions.question in (4, 7, 8, 9) and coalesce(said.comparison_count, 0) = 0, 'no two outputs to be compared are graded', null),
        if(plan.missing_count > 0, format('{} of {} cells of the plan are not measured', plan.missing_count, plan.cell_count), null)
    ), '') as missing,
    coalesce(
        case
            when questions.question not in (4, 7, 8, 9) or machines.machine is null then null
            when coalesce(graded.judged_count, 0) = 0 then 'a quality pass of each: collect --quality'
            when coalesce(said.comparison_count, 0) > 0
                then 'more prompts with a check: repeats of the same are no further questions'
        end,
        settling.subject || ' (' || settling.why || '): ' || settling.command,
        'collect plan --run'
    ) as settled_by,
    if(settled_by = settling.subject || ' (' || settling.why || '): ' || settling.command, settling.estimated_minutes, null) as settled_in_minutes
from questions
left join machines on true
left join (select machine, sum(judged_count) as judged_count from quality group by machine) as graded
    on graded.machine = machines.machine
left join said on said.machine = machines.machine and said.question = questions.question
left join plan on plan.machine is not distinct from machines.machine
left join settling on settling.machine is not distinct from machines.machine and settling.question = questions.question
order by machines.machine, questions.question;

comment on view answers is 'One row per machine and question of the plan: the answer as far as the results give one.';
comment on column answers.machine is 'Chip, GPU cores, memory; NULL before anything was measured.';
comment on column answers.question is 'Number in the plan.';
comment on column answers.asked is 'The question.';
comment on column answers.verdict is 'The answer in short; not measured, not all measured, inconclusive and depends … are answers too.';
comment on column answers.figure is 'What the headline figure is.';
comment on column answers.figure_value is 'The figure of the comparison with most requests.';
comment on column answers.figure_value_low is 'Lower end of its 95 % interval.';
comment on column answers.figure_value_high is 'Upper end of its 95 % interval.';
comment on column answers.figure_of is 'Which comparison that is.';
comment on column answers.evidence is 'All numbers it rests on, in words.';
comment on column answers.comparison_count is 'Comparisons behind it; of question 3 criteria.';
comment on column answers.request_count is 'Requests behind it; of question 2 runs.';
comment on column answers.missing is 'What is missing for a better answer.';
comment on column answers.settled_by is 'What would settle it.';
comment on column answers.settled_in_minutes is 'How long that takes by earlier runs.';
comment on column answers.runs_a_side is 'Runs behind the figure, of the side with fewer; NULL where it is no speed and no memory.';
comment on column answers.interval_kind is 'between runs: its interval holds what runs of this machine differ by; within this run: no configuration has two runs yet, and it does not.';
