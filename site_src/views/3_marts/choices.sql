-- The grid of a choice, and what fits each cell of it. Budgets and contexts are those at which something begins to fit, so
-- that between two of them nothing changes; 131,072 tokens and the advertised lengths are asked about in any case.
create or replace view choices as
with
rated as (
    select * from candidates where is_rated
),
budgets as (
    select machine, 0::double as memory_budget_gb from candidates
    union
    select machine, budget_edge(budget) as memory_budget_gb
    from (
        select machine, machine_memory_gb, unnest([budget_gb, budget_deep_gb]) as budget from rated
    )
    where budget <= machine_memory_gb
),
needs as (
    select machine, unnest([0, 131072])::bigint as context_needed from candidates
    union
    select machine, context_usable from rated where context_usable > 0
    union
    select machine, context_advertised
    from rated
    inner join (select distinct model, context_advertised from stg_models) as known using (model)
    where context_advertised is not null
),
cells as (
    select
        machine, memory_budget_gb,
        lead(memory_budget_gb) over (partition by machine, context_needed, priority order by memory_budget_gb)
            as memory_budget_below_gb,
        context_needed, priority
    from budgets
    inner join needs using (machine)
    inner join (
        select distinct machine, unnest(['speed', 'quality', 'memory']) as priority from candidates
        union
        select machine, 'energy' from rated where decode_j_per_token is not null  -- else there is nothing to ask
    ) as priorities using (machine)
),
-- joules of other rails are other figures: those that most have are compared
energies as (
    select machine, arg_max(energy_kind, (kind_count, energy_kind)) as compared_kind
    from (
        select machine, energy_kind, count(*) as kind_count from rated where decode_j_per_token is not null group by machine, energy_kind
    )
    group by machine
),
measured as (
    select
        cells.*,
        rated.* exclude (machine, memory_gb, memory_kind, budget_gb, budget_deep_gb, deep_memory_gb, is_rated, reason),
        compared_kind,
        context_needed > context_effective as is_deep,
        if(is_deep, deep_memory_gb, rated.memory_gb) as memory_gb,
        if(is_deep, 'measured', rated.memory_kind) as memory_kind,
        if(is_deep, budget_deep_gb, rated.budget_gb) as needed_gb
    from cells
    left join rated using (machine)
    left join energies using (machine)
)
select
    * exclude (is_deep, needed_gb, compared_kind),
    case
        when configuration_id is null then 'no configuration is rated'
        when context_needed > 0 and context_usable is null then 'no ladder was climbed'
        when context_needed > context_usable then 'not usable to this length'
        when needed_gb is null then 'memory at this length is not known'
        when needed_gb > memory_budget_gb + 1e-9 then 'needs more memory'
        when priority = 'quality' and quality_gate != 'pass' then 'quality not proven'
        when priority = 'energy' and decode_j_per_token is null then 'joules are not known'
        when priority = 'energy' and energy_kind != compared_kind then 'its joules are of other rails'
    end as obstacle,
    if(obstacle is null, row_number() over (
        partition by machine, memory_budget_gb, context_needed, priority, obstacle is null
        order by
            case priority when 'memory' then memory_gb when 'energy' then decode_j_per_token else -decode_tps end,
            memory_gb, configuration_id
    ), null) as choice_rank
from measured
order by machine, memory_budget_gb, context_needed, priority, choice_rank, configuration_id;

comment on view choices is 'One row per machine, memory budget, needed context, priority and rated candidate; one without candidate where none is rated.';
comment on column choices.machine is 'Chip, GPU cores, memory.';
comment on column choices.memory_budget_gb is 'Memory that may be used, GB, from this.';
comment on column choices.memory_budget_below_gb is 'To below this; NULL is no end.';
comment on column choices.context_needed is 'Context that must be usable, tokens; 0: no more than the suite''s prompts.';
comment on column choices.priority is 'speed: the fastest; quality: the fastest whose quality is proven; memory: the smallest; energy: the least joules for each token, where these are known.';
comment on column choices.configuration_id is 'The configuration that stands for the candidate.';
comment on column choices.label is 'Model, quantization, engine.';
comment on column choices.model is 'The model.';
comment on column choices.runtime is 'Engine that ran the model.';
comment on column choices.quantization is 'Its quantization.';
comment on column choices.bits is 'Nominal bits per weight.';
comment on column choices.context_effective is 'Context length the server had, tokens.';
comment on column choices.decode_tps is 'Decode speed, tokens/s.';
comment on column choices.decode_tps_low is 'Lower end of its 95 % interval.';
comment on column choices.decode_tps_high is 'Upper end of its 95 % interval.';
comment on column choices.memory_confidence is 'How sure its peak memory is.';
comment on column choices.context_usable is 'Largest rung of a ladder that passed, tokens.';
comment on column choices.context_usable_below is 'The first rung that did not pass.';
comment on column choices.quality_gate is 'pass, warn or unproven.';
comment on column choices.machine_memory_gb is 'Memory built in, GB.';
comment on column choices.runtime_versions is 'Versions of the engine it was measured with.';
comment on column choices.prompt_count is 'Prompts.';
comment on column choices.repeat_count is 'Valid decode speeds of each prompt, at least.';
comment on column choices.request_count is 'Requests behind the decode speed.';
comment on column choices.run_count is 'Runs.';
comment on column choices.latest_run_at is 'Beginning of the latest run, UTC.';
comment on column choices.memory_gb is 'Peak memory at the needed context, GB.';
comment on column choices.memory_kind is 'measured, estimated, or only with short prompts.';
comment on column choices.obstacle is 'Why it does not fit the cell; NULL if it fits.';
comment on column choices.choice_rank is 'Its place among those that fit, from 1.';
comment on column choices.interval_kind is 'between runs: its interval holds what runs of this machine differ by; within this run: no configuration has two runs yet, and it does not.';
comment on column choices.decode_run_count is 'Runs behind the speed.';
comment on column choices.peak_memory_kind is 'What its peak memory holds.';
comment on column choices.decode_j_per_token is 'Joules for each token generated, what flows at rest subtracted; of the rails in energy_kind.';
comment on column choices.decode_j_per_token_low is 'Lower end of its 95 % interval.';
comment on column choices.decode_j_per_token_high is 'Upper end of its 95 % interval.';
comment on column choices.energy_interval_kind is 'between runs, or within this run: what that interval holds.';
comment on column choices.energy_run_count is 'Runs behind the joules.';
comment on column choices.energy_kind is 'The rails that the joules hold.';
