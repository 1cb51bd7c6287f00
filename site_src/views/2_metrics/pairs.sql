-- The one place that decides what may be compared: machine, server, endpoint and sampling are always equal, and all else
-- but the one thing asked about. Speed needs a context of 131,072 on both sides; memory and load time need it equal.
-- Two sets of runs of one configuration differ in nothing that matters here.
create or replace view pairs as
with
sets as (
    select distinct set_id, kind, place, configurations
    from run_sets
    inner join configurations using (configuration_id)
),
beside as (
    select
        case
            when x.machine != y.machine or x.is_ladder != y.is_ladder then null
            when x.model = y.model and x.bits = y.bits and x.runtime = 'mlx' and y.runtime = 'llama.cpp' then 'framework'
            when x.model = y.model and x.bits = y.bits and x.runtime = 'llama.cpp' and y.runtime = 'mlx' then null
            when x.model = y.model and x.runtime = y.runtime and x.quantization != y.quantization
                and x.bits is not null and y.bits is not null
                then if(
                    (x.bits, coalesce(x.file_bytes, 0), x.quantization) < (y.bits, coalesce(y.file_bytes, 0), y.quantization),
                    'quantization', null
                )
            when x.model != y.model and x.runtime = y.runtime and x.bits = y.bits then if(x.model < y.model, 'model', null)
            when not x.is_ladder and x.configuration_id < y.configuration_id then 'choice'
        end as kind,
        x.configuration_id as a_id, y.configuration_id as b_id, x as a, y as b
    from configurations as x
    inner join configurations as y on x.configuration_id != y.configuration_id
    union all
    select later.kind, later.set_id, earlier.set_id, later.configurations, earlier.configurations
    from sets as later
    inner join sets as earlier
        on later.kind != 'configuration' and earlier.kind = later.kind and earlier.place = later.place - 1
        and earlier.configurations.configuration_id = later.configurations.configuration_id
    union all
    select 'asked', a.set_id, b.set_id, a.configurations, b.configurations
    from raw_asked
    inner join sets as a on a.set_id = raw_asked.a_id
    inner join sets as b on b.set_id = raw_asked.b_id
)
select
    kind, a_id, b_id,
    a.configuration_id as a_configuration_id,
    b.configuration_id as b_configuration_id,
    a.configuration_id != b.configuration_id as is_apart,
    if(not is_apart, null, nullif(concat_ws(
        '; ',
        if(a.machine is distinct from b.machine, 'different machines', null),
        if(a.server is distinct from 'lmstudio' or b.server is distinct from 'lmstudio', 'not both through LM Studio', null),
        if(a.endpoint is distinct from b.endpoint, 'different endpoints', null),
        if(a.sampling is distinct from b.sampling, 'different sampling', null),
        if(a.context_effective < 131072 or b.context_effective < 131072, 'context below 131,072', null),
        if(a.parallel != b.parallel, a.parallel || ' slots against ' || b.parallel, null)
    ), '')) as obstacle,
    if(not is_apart, null, nullif(concat_ws(
        '; ',
        if(a.context_effective != b.context_effective, 'different context', null),
        if(a.context_effective is null or b.context_effective is null, 'context unknown on one side', null)
    ), '')) as memory_obstacle,
    nullif(concat_ws(
        '; ',
        if(kind = 'asked' and is_apart, 'they differ in ' || nullif(concat_ws(
            ', ', if(a.model != b.model, 'model', null), if(a.runtime != b.runtime, 'runtime', null),
            if(a.quantization != b.quantization, 'quantization', null), if(a.suite != b.suite, 'suite', null)
        ), ''), null),
        if(is_apart and (a.parallel is null or b.parallel is null), 'slots unknown on one side', null),
        if(is_apart and (a.context_effective is null or b.context_effective is null), 'context unknown on one side', null),
        if(a.context_effective != b.context_effective and least(a.context_effective, b.context_effective) >= 131072, 'different context, both long enough', null),
        if(a.is_forced or b.is_forced, 'a check had failed', null),
        if(a.server_versions != b.server_versions, 'measured under different versions of the server', null)
    ), '') as caveat
from beside
where kind is not null;

comment on view pairs is 'One row per two sets of runs that are worth comparing, with what forbids it.';
comment on column pairs.kind is 'framework: MLX (a) and llama.cpp (b) at one bit width; quantization: fewer bits (a) and more (b); model: two models at one runtime and bit width; choice: any other two configurations of one machine; version, run: of one configuration, a set of versions or a run (a) and that before it (b); asked: two that somebody named.';
comment on column pairs.a_id is 'Set a.';
comment on column pairs.b_id is 'Set b.';
comment on column pairs.a_configuration_id is 'Its configuration.';
comment on column pairs.b_configuration_id is 'Its configuration.';
comment on column pairs.is_apart is 'Whether these are two configurations.';
comment on column pairs.obstacle is 'Why the two are not comparable; NULL if they are.';
comment on column pairs.memory_obstacle is 'What forbids, beyond that, to compare memory and load time.';
comment on column pairs.caveat is 'What is unknown about their being alike, or differs and does no harm.';
