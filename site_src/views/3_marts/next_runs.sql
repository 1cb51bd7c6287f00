-- What to measure next, by what it would settle: a cell whose partner is measured, then runs for undecided comparisons and
-- grades, then ladders, then the rest of the plan. The run is what is short of: a further run tells more than a further repeat.
create or replace view next_runs as
with
costs as (
    select
        configuration_id,
        median(run_seconds - coalesce(judged_seconds, 0)) / 60 as run_minutes,
        arg_max(coalesce(model_requested, model_variant, model_key), run_started_at) as key
    from stg_runs
    inner join (
        select
            run_id, any_value(model_requested) as model_requested, any_value(model_variant) as model_variant,
            sum(elapsed_ns) filter (op in ('quality', 'fidelity')) / 1e9 as judged_seconds
        from raw_facts group by run_id
    ) as asked using (run_id)
    where run_state = 'complete' and contributor is null
    group by configuration_id
),
undecided as (
    select
        a.machine, 2 as class, null::bigint as place, 'runs' as kind, if(pairs.kind = 'framework', 1, if(pairs.kind = 'quantization', 8, 5)) as question,
        concat(a.label, ' against ', b.label) as subject,
        if(run_count < 2, 'one run a side decides nothing', 'the comparison is inconclusive') as why,
        seen_difference, detectable_difference, further_runs,
        further_runs * (a_costs.run_minutes + b_costs.run_minutes) as estimated_minutes,
        pair_runs.reason,
        -- there and back: what was measured last comes first, so that a drift hits both alike
        if(further_runs is null, null, concat_ws(
            '; ', format('collect --load {} --unload', shell_word(b_costs.key)), format('collect --load {} --unload', shell_word(a_costs.key)),
            if(further_runs > 1, format('collect --load {} --unload', shell_word(a_costs.key)), null),
            if(further_runs > 1, format('collect --load {} --unload', shell_word(b_costs.key)), null)
        )) as command
    from pair_runs
    inner join pairs using (a_id, b_id)
    inner join configurations as a on a.configuration_id = a_id
    inner join configurations as b on b.configuration_id = b_id
    left join costs as a_costs on a_costs.configuration_id = a_id
    left join costs as b_costs on b_costs.configuration_id = b_id
    where pairs.kind in ('framework', 'quantization', 'model')
),
grades as (
    select
        machine, 3, null, 'runs', 3, label, 'the grade of its stability is provisional', null, null,
        greatest(ceil((cv_degrees_wanted - cv_degrees) * greatest(run_count, 1) / cv_degrees), 1)::bigint as further_runs,
        further_runs * run_minutes, null,
        format('collect --load {} --unload', shell_word(key))
    from (
        select *, (
            -- at the same CV: from how many degrees of freedom on its upper bound stays below the next threshold
            select min(df) from quantiles where stability.cv * sqrt(df / chi025) < if(stability.cv <= 0.02, 0.05, 0.10)
        ) as cv_degrees_wanted
        from stability
        where verdict = 'provisional' and cv <= 0.05 and server = 'lmstudio'
    )
    left join costs using (configuration_id)
    where cv_degrees_wanted is not null
),
ladders as (
    select
        machine, 4, null, 'ladder', 6, label, 'how much of its context is usable is not known', null, null, null::bigint,
        20::double, 'the time budget of a ladder', format('collect context --load {}', shell_word(key))
    from candidates
    left join costs using (configuration_id)
    where is_rated and context_usable is null
),
partners as (
    select distinct machine, model, bits, runtime from plan_coverage where state = 'measured' and kind = 'speed'
),
cells as (
    select
        cell.machine,
        case when cell.kind = 'context' then 6 when partners.runtime is not null then 1 else 5 end, next_rank,
        'cell', case when cell.kind = 'context' then 6 when partners.runtime is not null then 1 else 7 end,
        concat(cell.model, ' ', cell.variant),
        if(partners.runtime is null or cell.kind = 'context', 'a cell of the plan',
            'its partner is measured: the first comparison of MLX and llama.cpp there'),
        null, null, null::bigint,
        coalesce(estimated_minutes, budget_s / 60, usual_minutes),
        case
            when estimated_minutes is not null then null
            when kind = 'context' then 'its time budget'
            when usual_minutes is not null then 'by other cells of this model'
            else estimate_reason
        end,
        'collect plan --run --next --only "' || cell.model || ' ' || cell.variant || '"'
    from (
        select *, median(estimated_minutes) filter (kind = 'speed') over (partition by machine, model) as usual_minutes
        from plan_coverage
    ) as cell
    left join partners
        on partners.machine = cell.machine and partners.model = cell.model and partners.bits = cell.bits
        and partners.runtime != cell.runtime
    where cell.next_rank is not null and cell.run_count = 0
),
everything as (
    select * from undecided union all from grades union all from ladders union all from cells
)
select
    machine,
    row_number() over (
        partition by machine order by class, further_runs is null and kind = 'runs', place, estimated_minutes nulls last, subject
    ) as run_rank,
    * exclude (machine, class, place)
from everything
anti join (select machine from machines where contributor is not null) as others using (machine)
order by machine, run_rank;

comment on view next_runs is 'One row per machine and further measurement that would settle something, the most telling first.';
comment on column next_runs.machine is 'Chip, GPU cores, memory; NULL before anything was measured.';
comment on column next_runs.run_rank is 'Place, from 1.';
comment on column next_runs.kind is 'runs: more of what was measured; cell: a cell of the plan; ladder: a context ladder.';
comment on column next_runs.question is 'The question of the plan that it serves, 1 to 9.';
comment on column next_runs.subject is 'What to measure.';
comment on column next_runs.why is 'What it would settle.';
comment on column next_runs.seen_difference is 'Relative difference of speed seen.';
comment on column next_runs.detectable_difference is 'Smallest that would be found with a power of 80 % at the spread seen.';
comment on column next_runs.further_runs is 'Runs in addition, on each side and in turn; NULL where that is not what helps.';
comment on column next_runs.estimated_minutes is 'How long that takes by earlier runs.';
comment on column next_runs.reason is 'Why runs would not help, or where the estimate is from.';
comment on column next_runs.command is 'What to type.';
