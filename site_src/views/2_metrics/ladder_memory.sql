-- Peaks of different kinds are never pooled: a ladder climbed both against a baseline and on a model loaded before has two.
create or replace view ladder_memory as
with
peaks as (
    select
        ladder_id,
        peak_memory_kind,
        max(peak_memory_gb) as peak_memory_gb,
        max(depth) as depth,
        -- the least sure run decides
        ['low', 'medium', 'high'][min(list_position(['low', 'medium', 'high'], memory_confidence))] as memory_confidence
    from stg_runs
    inner join run_memory using (run_id)
    inner join (
        select run_id, max(prompt_tokens + coalesce(completion_tokens, 0)) as depth
        from stg_context
        where is_accepted
        group by run_id
    ) as deepest using (run_id)
    where peak_memory_gb is not null
    group by ladder_id, peak_memory_kind
)
select *, row_number() over (
    partition by ladder_id order by peak_memory_kind = 'system, above baseline' desc, depth desc, peak_memory_kind
) as kind_rank
from peaks;

comment on view ladder_memory is 'One row per ladder and kind of peak memory.';
comment on column ladder_memory.ladder_id is 'The ladder.';
comment on column ladder_memory.peak_memory_kind is 'What the figure holds.';
comment on column ladder_memory.peak_memory_gb is 'Highest peak of its runs of this kind, GB.';
comment on column ladder_memory.depth is 'Tokens of prompt and answer at its deepest.';
comment on column ladder_memory.memory_confidence is 'How sure the least sure of these runs is: high, medium or low.';
comment on column ladder_memory.kind_rank is '1 for the kind to prefer: against a baseline, else the deepest.';
