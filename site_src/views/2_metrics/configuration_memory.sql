-- Figures of different kinds are never pooled: of a configuration measured both against a baseline and loaded before, the
-- runs with a baseline count.
create or replace view configuration_memory as
with
kinds as (
    select
        configuration_id,
        peak_memory_kind,
        max(peak_memory_gb) as peak_memory_gb,
        min(peak_memory_gb) as peak_memory_gb_min,
        count(*) as peak_memory_count,
        -- the least sure run decides
        ['low', 'medium', 'high'][min(list_position(['low', 'medium', 'high'], memory_confidence))] as memory_confidence
    from run_memory
    inner join run_versions using (run_id)
    where peak_memory_gb is not null and is_current
    group by configuration_id, peak_memory_kind
)
select *, (sum(peak_memory_count) over (partition by configuration_id) - peak_memory_count)::bigint as other_kind_count
from kinds
qualify row_number() over (
    partition by configuration_id
    order by peak_memory_kind = 'system, above baseline' desc, peak_memory_count desc, peak_memory_kind
) = 1;

comment on view configuration_memory is 'One row per configuration with a known peak memory.';
comment on column configuration_memory.configuration_id is 'The configuration.';
comment on column configuration_memory.peak_memory_kind is 'What the figure holds.';
comment on column configuration_memory.peak_memory_gb is 'Highest peak of its runs of this kind, GB.';
comment on column configuration_memory.peak_memory_gb_min is 'Lowest peak of these runs, GB.';
comment on column configuration_memory.peak_memory_count is 'These runs.';
comment on column configuration_memory.memory_confidence is 'How sure the least sure of them is: high, medium or low.';
comment on column configuration_memory.other_kind_count is 'Runs whose peak is of another kind, and left out.';
