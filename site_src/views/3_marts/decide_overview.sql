-- The machine with most rated candidates speaks for the page's first sentence; the table below it has all.
create or replace view decide_overview as
with
machines as (
    select machine, count(*) as candidate_count, count(*) filter (is_rated) as rated_count from candidates group by machine
),
widest as (
    select recommendation.*
    from recommendation
    inner join machines using (machine)
    where context_needed = 0 and priority = 'speed' and configuration_id is not null
    order by rated_count desc, machine, memory_budget_gb desc
    limit 1
)
select
    (select coalesce(sum(candidate_count), 0)::bigint from machines) as candidate_count,
    (select coalesce(sum(rated_count), 0)::bigint from machines) as rated_count,
    widest.machine, widest.label, widest.decode_tps, widest.decode_tps_low, widest.decode_tps_high, widest.request_count, widest.memory_gb,
    widest.confidence, widest.confidence_reason
from (select 1 as one)
left join widest on true;

comment on view decide_overview is 'One row: how much can be recommended, and the fastest that fits the widest-measured machine.';
comment on column decide_overview.candidate_count is 'Candidates on all machines.';
comment on column decide_overview.rated_count is 'Those that are rated.';
comment on column decide_overview.machine is 'The machine with most rated ones.';
comment on column decide_overview.label is 'The fastest that fits it, for the suite''s prompts.';
comment on column decide_overview.decode_tps is 'Its decode speed, tokens/s.';
comment on column decide_overview.decode_tps_low is 'Lower end of its 95 % interval.';
comment on column decide_overview.decode_tps_high is 'Upper end of its 95 % interval.';
comment on column decide_overview.memory_gb is 'Its peak memory, GB.';
comment on column decide_overview.confidence is 'high, medium or low.';
comment on column decide_overview.confidence_reason is 'What lowers it.';
comment on column decide_overview.request_count is 'Requests behind it.';
