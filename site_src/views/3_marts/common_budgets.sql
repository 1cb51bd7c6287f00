-- Memory that people have to give, and what the machine has at most; the grid of `recommendation` says what fits there.
create or replace view common_budgets as
with
budgets as (
    select distinct machine, unnest([32, 64, 96, 128, 192, 256, 384, 512])::double as memory_budget_gb
    from candidates
    where machine in (select machine from machines where is_plan)
),
asked as (
    select budgets.*, context_needed, priority
    from budgets
    inner join (
        select machine, max(machine_memory_gb) as machine_memory_gb from candidates group by machine
    ) using (machine)
    cross join (values (0::bigint, 'speed'), (0, 'quality'), (131072, 'speed'), (131072, 'quality')) as wanted(context_needed, priority)
    where memory_budget_gb <= 1.1 * machine_memory_gb  -- 512 GB are 550 of 10^9 bytes
)
select
    asked.machine,
    asked.memory_budget_gb,
    asked.priority,
    asked.context_needed,
    coalesce(picks.verdict, 'nothing measured fits') as verdict,
    picks.configuration_id, picks.label,
    picks.decode_tps, picks.decode_tps_low, picks.decode_tps_high,
    picks.interval_kind, coalesce(picks.decode_run_count, 0) as decode_run_count,
    coalesce(picks.request_count, 0) as request_count,
    picks.memory_gb, picks.memory_kind, picks.quality_gate, picks.confidence, picks.confidence_reason, picks.tied_with, picks.reason
from asked
left join recommendation as picks
    on picks.machine = asked.machine and picks.context_needed = asked.context_needed and picks.priority = asked.priority
    and picks.memory_budget_gb <= asked.memory_budget_gb
    and (picks.memory_budget_below_gb is null or picks.memory_budget_below_gb > asked.memory_budget_gb)
order by asked.machine, asked.priority desc, asked.context_needed, asked.memory_budget_gb;

comment on view common_budgets is 'One row per machine, common memory budget, priority and needed context: what `recommendation` says there.';
comment on column common_budgets.machine is 'Chip, GPU cores, memory.';
comment on column common_budgets.memory_budget_gb is 'Memory that may be used, GB.';
comment on column common_budgets.priority is 'speed: the fastest; quality: the fastest whose quality is proven.';
comment on column common_budgets.context_needed is 'Context that must be usable, tokens; 0: no more than the suite''s prompts.';
comment on column common_budgets.verdict is 'recommended; level: others cannot be told from it; nothing measured fits.';
comment on column common_budgets.configuration_id is 'The pick.';
comment on column common_budgets.label is 'Model, quantization, engine.';
comment on column common_budgets.decode_tps is 'Decode speed, tokens/s.';
comment on column common_budgets.decode_tps_low is 'Lower end of its 95 % interval.';
comment on column common_budgets.decode_tps_high is 'Upper end of its 95 % interval.';
comment on column common_budgets.request_count is 'Requests behind it.';
comment on column common_budgets.memory_gb is 'Peak memory at the needed context, GB.';
comment on column common_budgets.memory_kind is 'measured, estimated, or only with short prompts.';
comment on column common_budgets.quality_gate is 'What is known of its outputs.';
comment on column common_budgets.confidence is 'high, medium or low.';
comment on column common_budgets.confidence_reason is 'What lowers it.';
comment on column common_budgets.tied_with is 'Those that cannot be told from it.';
comment on column common_budgets.reason is 'Why nothing fits.';
comment on column common_budgets.interval_kind is 'between runs: its interval holds what runs of this machine differ by; within this run: no configuration has two runs yet, and it does not.';
comment on column common_budgets.decode_run_count is 'Runs behind the speed.';
