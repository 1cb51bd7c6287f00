-- The first of those that fit; where others cannot be told from it, the one with less memory (or, asked for the smallest,
-- the faster). Confidence: high with two runs, a decided choice, proven quality and sure memory; one missing is
-- medium, more are low.
create or replace view recommendation as
with
verdicts as (
    select pairs.a_id as one_id, pairs.b_id as other_id, coalesce(pair_speed.verdict, 'not comparable') as verdict
    from pairs
    left join pair_speed on pair_speed.a_id = pairs.a_id and pair_speed.b_id = pairs.b_id
    where kind in ('framework', 'quantization', 'model', 'choice')
),
both_ways as (
    from verdicts union all select other_id, one_id, verdict from verdicts
),
rivals as (
    select
        choices.*,
        leader.configuration_id as leader_id,
        coalesce(verdict, 'not comparable') as against_leader,
        case
            when choices.choice_rank = 1 then true
            when priority = 'memory' then choices.memory_gb <= 1.02 * leader.memory_gb
            when priority = 'energy' then are_level(choices.decode_j_per_token_low, leader.decode_j_per_token_high, [choices.energy_interval_kind, leader.energy_interval_kind])
            else verdict in ('equivalent', 'inconclusive', 'one run a side') and coalesce(choices.decode_tps_high >= leader.decode_tps_low, true)
        end as is_level
    from choices
    inner join choices as leader using (machine, memory_budget_gb, context_needed, priority)
    left join both_ways on one_id = choices.configuration_id and other_id = leader.configuration_id
    where choices.obstacle is null and leader.choice_rank = 1
),
placed as (
    select
        *,
        row_number() over (
            cell order by is_level desc, if(priority = 'memory', -decode_tps, memory_gb), choice_rank
        ) as place,
        count(*) over (cell) as fitting_count,
        count(distinct peak_memory_kind) over (partition by machine, memory_budget_gb, context_needed, priority) as memory_kind_count
    from rivals
    window cell as (partition by machine, memory_budget_gb, context_needed, priority)
),
told as (
    select
        machine, memory_budget_gb, context_needed, priority,
        string_agg(label, ', ' order by place) filter (is_level and place > 1) as tied_with,
        string_agg(label, ', ' order by place) filter (
            not is_level and priority not in ('memory', 'energy') and against_leader = 'not comparable'
        ) as not_compared_with
    from placed
    group by all
),
missed as (
    select
        machine, memory_budget_gb, context_needed, priority,
        any_value(memory_budget_below_gb) as memory_budget_below_gb,
        count(configuration_id) as candidate_count,
        case
            when count(configuration_id) = 0 then 'no configuration is rated'
            when context_needed > 0 and count(*) filter (context_usable >= context_needed) = 0
                then 'no ladder shows that this length is usable; `collect context` climbs one'
            when priority = 'quality' and count(*) filter (quality_gate = 'pass') = 0 then 'no quality is proven'
            when priority = 'energy' and bool_or(obstacle in ('joules are not known', 'its joules are of other rails')) then 'joules are not known of what fits'
            when count(*) filter (obstacle = 'needs more memory') = 0
                and count(*) filter (obstacle = 'memory at this length is not known') > 0
                then 'memory at this length is not known'
            else 'all that qualify need more memory'
        end as missing
    from choices
    group by machine, memory_budget_gb, context_needed, priority
),
untested as (
    select machine, count(*) as cell_count, count(*) filter (state != 'measured') as untested_count
    from plan_coverage
    group by machine
),
joined as (
    select
        missed.*,
        placed.* exclude (machine, memory_budget_gb, memory_budget_below_gb, context_needed, priority, obstacle),
        tied_with, not_compared_with,
        [
            if(if(priority = 'energy', energy_run_count, decode_run_count) < 2, 'one run', null),
            coalesce(
                'level with ' || tied_with, 'not comparable with ' || not_compared_with,
                if(fitting_count = 1, 'nothing else fits to compare with', null)
            ),
            if(quality_gate != 'pass', 'quality ' || quality_gate, null),
            case
                when memory_kind != 'measured' then 'memory ' || memory_kind
                when memory_confidence is distinct from 'high' then 'memory confidence ' || coalesce(memory_confidence, 'unknown')
                when memory_kind_count > 1 then 'peak memory is not of one kind in all that fit'
            end
        ] as doubts
    from missed
    left join (from placed where place = 1) as placed using (machine, memory_budget_gb, context_needed, priority)
    left join told using (machine, memory_budget_gb, context_needed, priority)
)
select
    joined.machine, memory_budget_gb, memory_budget_below_gb, context_needed, priority,
    case when configuration_id is null then 'nothing measured fits' when tied_with is not null then 'level' else 'recommended' end as verdict,
    configuration_id, label, model, runtime, quantization, bits,
    decode_tps, decode_tps_low, decode_tps_high, interval_kind, decode_run_count, memory_gb,
    decode_j_per_token, decode_j_per_token_low, decode_j_per_token_high, energy_interval_kind, energy_run_count, energy_kind,
    memory_kind, memory_confidence, context_usable, quality_gate,
    if(configuration_id is null, null, ['high', 'medium', 'low'][least(list_count(doubts), 2) + 1]) as confidence,
    if(configuration_id is null, null, nullif(array_to_string(doubts, '; '), '')) as confidence_reason,
    tied_with,
    candidate_count, coalesce(fitting_count, 0) as fitting_count,
    prompt_count, repeat_count, request_count, run_count, latest_run_at, runtime_versions,
    if(untested_count > 0, format('{} of {} cells of the plan are not measured', untested_count, cell_count), null) as not_tested,
    if(configuration_id is null, missing, null) as reason
from joined
left join untested on untested.machine = joined.machine
order by joined.machine, memory_budget_gb, context_needed, priority;

comment on view recommendation is 'One row per machine, memory budget, needed context and priority: what to use there, how sure that is, or why nothing measured fits.';
comment on column recommendation.machine is 'Chip, GPU cores, memory.';
comment on column recommendation.memory_budget_gb is 'Memory that may be used, GB, from this.';
comment on column recommendation.memory_budget_below_gb is 'To below this; NULL is no end.';
comment on column recommendation.context_needed is 'Context that must be usable, tokens; 0: no more than the suite''s prompts.';
comment on column recommendation.priority is 'speed: the fastest; quality: the fastest whose quality is proven; memory: the smallest; energy: the least joules for each token, where these are known.';
comment on column recommendation.verdict is 'recommended; level: others cannot be told from it; nothing measured fits.';
comment on column recommendation.configuration_id is 'The configuration.';
comment on column recommendation.label is 'Model, quantization, engine.';
comment on column recommendation.model is 'The model.';
comment on column recommendation.runtime is 'Engine that ran the model.';
comment on column recommendation.quantization is 'Its quantization.';
comment on column recommendation.bits is 'Nominal bits per weight.';
comment on column recommendation.decode_tps is 'Decode speed, tokens/s.';
comment on column recommendation.decode_tps_low is 'Lower end of its 95 % interval.';
comment on column recommendation.decode_tps_high is 'Upper end of its 95 % interval.';
comment on column recommendation.memory_gb is 'Peak memory at the needed context, GB.';
comment on column recommendation.memory_kind is 'measured, estimated, or only with short prompts.';
comment on column recommendation.memory_confidence is 'How sure a measured peak is.';
comment on column recommendation.context_usable is 'Largest rung of a ladder that passed, tokens; NULL: no ladder was climbed.';
comment on column recommendation.quality_gate is 'pass, warn or unproven.';
comment on column recommendation.confidence is 'high, medium or low.';
comment on column recommendation.confidence_reason is 'What lowers it.';
comment on column recommendation.tied_with is 'Others that cannot be told from it.';
comment on column recommendation.candidate_count is 'Rated candidates on this machine.';
comment on column recommendation.fitting_count is 'Those that fit this cell.';
comment on column recommendation.prompt_count is 'Prompts behind its speed.';
comment on column recommendation.repeat_count is 'Valid decode speeds of each prompt, at least.';
comment on column recommendation.request_count is 'Requests behind its speed.';
comment on column recommendation.run_count is 'Runs.';
comment on column recommendation.latest_run_at is 'Beginning of the latest run, UTC.';
comment on column recommendation.runtime_versions is 'Versions of the engine it was measured with.';
comment on column recommendation.not_tested is 'How much of the plan is not measured on this machine.';
comment on column recommendation.reason is 'Why nothing fits.';
comment on column recommendation.interval_kind is 'between runs: its interval holds what runs of this machine differ by; within this run: no configuration has two runs yet, and it does not.';
comment on column recommendation.decode_run_count is 'Runs behind the speed.';
comment on column recommendation.decode_j_per_token is 'Joules for each token generated, what flows at rest subtracted; of the rails in energy_kind.';
comment on column recommendation.decode_j_per_token_low is 'Lower end of its 95 % interval.';
comment on column recommendation.decode_j_per_token_high is 'Upper end of its 95 % interval.';
comment on column recommendation.energy_interval_kind is 'between runs, or within this run: what that interval holds.';
comment on column recommendation.energy_run_count is 'Runs behind the joules.';
comment on column recommendation.energy_kind is 'The rails that the joules hold.';
