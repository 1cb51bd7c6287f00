-- Which rails a run's joules hold, and what flowed at rest. A counter that did not move all run long tells nothing: on macOS 27
-- those of CPU, neural engine and memory are said to stand still, and what is left is the GPU alone. A neural engine that is
-- off draws nothing, so it is told where the CPU is. Rest is net of nothing asked, before and after the measured requests; it
-- is refused where what it may be off by is more than 5 % of what decoding adds: Student-t over its steps, or half of what
-- before and after are apart.
create or replace view run_energy as
with
told as (
    select
        run_id, [max(rails_j[1]) > 0, max(rails_j[2]) > 0, max(rails_j[2]) > 0 and max(rails_j[3]) is not null, max(rails_j[4]) > 0] as is_told,
        list_filter(range(1, 5), lambda rail: coalesce(is_told[rail], false)) as kept
    from stg_energy
    group by run_id
),
flows as (
    select run_id, op_index, phase, seconds, edge_share, joules_of(rails_j, kept) as joules
    from stg_energy
    inner join told using (run_id)
),
steps as (
    select run_id, op_index, joules / seconds as watts from flows where phase = 'rest' and seconds >= 0.25
),
rests as (
    select run_id, max(watts) - min(watts) as apart
    from (select run_id, op_index, avg(watts) as watts from steps group by run_id, op_index)
    group by run_id
),
rested as (
    select
        run_id, avg(watts) as rest_watts, min(watts) as rest_watts_min, max(watts) as rest_watts_max, count(*) as step_count,
        greatest(t_of(count(*) - 1) * std_error(watts), any_value(apart) / 2) as rest_error_watts
    from steps
    inner join rests using (run_id)
    group by run_id
),
decoded as (
    select run_id, sum(joules) / sum(seconds) as decode_watts from flows where phase = 'decode' and edge_share <= 0.05 group by run_id
),
named as (
    select
        stg_runs.run_id, configuration_id, run_started_at, energy_source, energy_reason, kept,
        rested.* exclude (run_id), decode_watts,
        ['GPU', if(energy_source = 'RAPL', 'CPU package', 'CPU'), 'ANE', 'DRAM'] as names,
        list_transform(energy_channels, lambda channel: list_position(['gpu_uj', 'cpu_uj', 'ane_uj', 'dram_uj'], channel.rail)) as channel_rails,
        nullif(array_to_string(list_select(names, kept), ' + ') || if(len(kept) = 1, ' only', ''), '') as energy_kind,
        nullif(array_to_string(
            list_select(names, list_filter(range(1, 5), lambda rail: list_contains(channel_rails, rail) and not list_contains(kept, rail))), ', '
        ), '') as still
    from stg_runs
    left join told using (run_id)
    left join rested using (run_id)
    left join decoded using (run_id)
),
judged as (
    select
        *,
        case
            when energy_reason is not null then energy_reason
            when energy_source is null then 'measured before energy was read'
            when coalesce(step_count, 0) < 4 then 'energy was not read at rest'
            when energy_kind is null then 'the energy counters stood still'
            when decode_watts > rest_watts and rest_error_watts > 0.05 * (decode_watts - rest_watts)
                then format('the machine was not at rest: {:.1f} to {:.1f} W while nothing was asked', rest_watts_min, rest_watts_max)
        end as reason
    from named
)
select
    run_id, configuration_id, energy_source, energy_kind, kept, rest_watts, rest_error_watts, decode_watts, reason,
    case
        when reason is not null then null
        when still is not null then format('{}: counters that stand still on this system: {}', energy_kind, still)
        when energy_source = 'RAPL' then 'what a graphics card draws is not in it'
    end as energy_note,
    reason is null and energy_kind = first_value(energy_kind) over (
        partition by configuration_id order by reason is null desc, run_started_at desc, run_id desc
    ) as is_counted
from judged;

comment on view run_energy is 'One row per run: what its joules hold, what flowed at rest, or why they are not known.';
comment on column run_energy.run_id is 'The run.';
comment on column run_energy.configuration_id is 'Its configuration.';
comment on column run_energy.energy_source is 'Where readings come from.';
comment on column run_energy.energy_kind is 'The rails that its joules hold.';
comment on column run_energy.kept is 'Their places in stg_energy.rails_j.';
comment on column run_energy.rest_watts is 'What these draw with the model loaded and nothing asked, W.';
comment on column run_energy.rest_error_watts is 'What that may be off by, W.';
comment on column run_energy.decode_watts is 'What they draw while decoding, W, rest included.';
comment on column run_energy.reason is 'Why no joules a token are given.';
comment on column run_energy.energy_note is 'What these joules lack.';
comment on column run_energy.is_counted is 'Whether they count for the configuration: figures of another kind than its newest run has are left out.';
