-- What to use with all the memory that a machine has, by what matters most; and what to type where nothing is measured.
create or replace view decide_overview as
with
counted as (
    select machine, count(*) as candidate_count, count(*) filter (is_rated) as rated_count from candidates group by machine
),
picks as (
    select * from recommendation where memory_budget_below_gb is null
),
next as (
    select machine, command from next_runs where run_rank = 1
)
select
    machines.machine,
    coalesce(machines.is_plan, false) as is_plan,
    coalesce(counted.candidate_count, 0) as candidate_count,
    coalesce(rated_count, 0) as rated_count,
    fastest.label,
    fastest.decode_tps, fastest.decode_tps_low, fastest.decode_tps_high, fastest.interval_kind,
    fastest.decode_run_count, fastest.request_count,
    fastest.memory_gb, fastest.confidence, fastest.confidence_reason, fastest.tied_with, fastest.reason,
    deep.label as deep_label,
    deep.decode_tps as deep_decode_tps,
    deep.memory_gb as deep_memory_gb,
    deep.reason as deep_reason,
    proven.label as proven_label,
    proven.decode_tps as proven_decode_tps,
    proven.reason as proven_reason,
    smallest.label as smallest_label,
    smallest.memory_gb as smallest_memory_gb,
    smallest.decode_tps as smallest_decode_tps,
    frugal.label as frugal_label,
    frugal.decode_j_per_token as frugal_decode_j_per_token,
    frugal.energy_kind as frugal_energy_kind,
    coalesce(next.command, 'collect plan --run') as next_command
from (select 1 as one)
left join machines on true
left join counted on counted.machine = machines.machine
left join picks as fastest
    on fastest.machine = machines.machine and fastest.context_needed = 0 and fastest.priority = 'speed'
left join picks as deep
    on deep.machine = machines.machine and deep.context_needed = 131072 and deep.priority = 'speed'
left join picks as proven
    on proven.machine = machines.machine and proven.context_needed = 0 and proven.priority = 'quality'
left join picks as smallest
    on smallest.machine = machines.machine and smallest.context_needed = 0 and smallest.priority = 'memory'
left join picks as frugal
    on frugal.machine = machines.machine and frugal.context_needed = 0 and frugal.priority = 'energy'
left join next on next.machine is not distinct from machines.machine
order by machines.place;

comment on view decide_overview is 'One row per machine, or one without before anything was measured: how much can be recommended, and the picks with all its memory.';
comment on column decide_overview.machine is 'Chip, GPU cores, memory; NULL before anything was measured.';
comment on column decide_overview.is_plan is 'Whether any run went through LM Studio.';
comment on column decide_overview.candidate_count is 'Candidates: model, quantization and engine.';
comment on column decide_overview.rated_count is 'Those that are rated.';
comment on column decide_overview.label is 'The fastest that fits it, for the suite''s prompts.';
comment on column decide_overview.decode_tps is 'Its decode speed, tokens/s.';
comment on column decide_overview.decode_tps_low is 'Lower end of its 95 % interval.';
comment on column decide_overview.decode_tps_high is 'Upper end of its 95 % interval.';
comment on column decide_overview.request_count is 'Requests behind it.';
comment on column decide_overview.memory_gb is 'Its peak memory, GB.';
comment on column decide_overview.confidence is 'high, medium or low.';
comment on column decide_overview.confidence_reason is 'What lowers it.';
comment on column decide_overview.tied_with is 'Others that cannot be told from it.';
comment on column decide_overview.reason is 'Why nothing fits.';
comment on column decide_overview.deep_label is 'The fastest that is usable to 131,072 tokens.';
comment on column decide_overview.deep_decode_tps is 'Its decode speed with the suite''s prompts, tokens/s.';
comment on column decide_overview.deep_memory_gb is 'Its peak memory at that length, GB.';
comment on column decide_overview.deep_reason is 'Why there is none.';
comment on column decide_overview.proven_label is 'The fastest whose quality is proven.';
comment on column decide_overview.proven_decode_tps is 'Its decode speed, tokens/s.';
comment on column decide_overview.proven_reason is 'Why there is none.';
comment on column decide_overview.smallest_label is 'The smallest.';
comment on column decide_overview.smallest_memory_gb is 'Its peak memory, GB.';
comment on column decide_overview.smallest_decode_tps is 'Its decode speed, tokens/s.';
comment on column decide_overview.next_command is 'What to type next.';
comment on column decide_overview.interval_kind is 'between runs: its interval holds what runs of this machine differ by; within this run: no configuration has two runs yet, and it does not.';
comment on column decide_overview.decode_run_count is 'Runs behind it.';
comment on column decide_overview.frugal_label is 'The one with the least joules for each token; NULL where these are not known.';
comment on column decide_overview.frugal_decode_j_per_token is 'Its joules for each token.';
comment on column decide_overview.frugal_energy_kind is 'The rails that they hold.';
