create or replace view exclusions as
select
    run_id,
    any_value(label) as label,
    any_value(machine) as machine,
    exclusion as reason,
    count(*) as excluded_count,
    any_value(request_count) as request_count
from request_flags
inner join (select run_id, label, machine, request_count from runs) as named using (run_id)
where exclusion is not null
group by run_id, exclusion
order by label, run_id, excluded_count desc, reason;

comment on view exclusions is 'One row per run and reason for which requests are left out of figures and comparisons.';
comment on column exclusions.run_id is 'The run.';
comment on column exclusions.label is 'Model, quantization, engine.';
comment on column exclusions.machine is 'Chip, GPU cores, memory.';
comment on column exclusions.reason is 'The reason.';
comment on column exclusions.excluded_count is 'Requests it holds for.';
comment on column exclusions.request_count is 'Requests of the run.';
