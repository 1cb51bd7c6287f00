create or replace view context_overview as
with
climbed as (
    select
        machine,
        count(*) as ladder_count,
        count(distinct model) as model_count,
        max(context_usable) as best_usable,
        arg_max({'label': label, 'advertised': context_advertised, 'share': context_utilization, 'n': request_count}, (context_usable, ladder_id))
            filter (context_usable is not null) as best,
        max(context_accepted) as best_accepted,
        arg_max(label, (context_accepted, ladder_id)) filter (context_accepted is not null) as best_accepted_label
    from context_utilization
    group by machine
),
said as (
    select machine, verdict, evidence, missing, settled_by, request_count
    from answers
    where question = 6 and machine is not null
)
select
    machines.machine,
    coalesce(machines.is_plan, false) as is_plan,
    coalesce(ladder_count, 0) as ladder_count,
    coalesce(model_count, 0) as model_count,
    best_usable,
    best.label as best_label,
    best.advertised as best_advertised,
    best.share as best_share,
    coalesce(best.n, 0) as best_request_count,
    best_accepted,
    best_accepted_label,
    said.verdict,
    said.evidence,
    said.missing,
    said.settled_by,
    coalesce(said.request_count, 0) as request_count
from (select 1 as one)
left join machines on true
left join climbed using (machine)
left join said using (machine)
order by machines.place;

comment on view context_overview is 'One row per machine, one without before anything was measured: the longest context that was usable there, and question 6.';
comment on column context_overview.machine is 'Chip, GPU cores, memory; NULL before anything was measured.';
comment on column context_overview.is_plan is 'Whether it has runs through LM Studio.';
comment on column context_overview.ladder_count is 'Ladders.';
comment on column context_overview.model_count is 'Models that climbed one.';
comment on column context_overview.best_usable is 'Longest usable context, tokens.';
comment on column context_overview.best_label is 'Which configuration that is.';
comment on column context_overview.best_advertised is 'What its model is made for, tokens.';
comment on column context_overview.best_share is 'Usable over advertised.';
comment on column context_overview.best_request_count is 'Requests of that ladder.';
comment on column context_overview.best_accepted is 'Longest prompt taken whole, tokens.';
comment on column context_overview.best_accepted_label is 'By which configuration.';
comment on column context_overview.verdict is 'Answer to question 6; NULL without runs through LM Studio.';
comment on column context_overview.evidence is 'What it rests on, in words.';
comment on column context_overview.missing is 'What is missing for a better answer.';
comment on column context_overview.settled_by is 'What would settle it.';
comment on column context_overview.request_count is 'Requests behind it.';
