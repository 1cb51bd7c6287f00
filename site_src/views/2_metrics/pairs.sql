-- The one place that decides what may be compared: machine, server, endpoint and sampling are always equal, and all else
-- but the one thing asked about. Speed needs a context of 131,072 on both sides; memory and load time need it equal.
create or replace view pairs as
with
beside as (
    select
        case
            when a.model = b.model and a.runtime = 'mlx' and b.runtime = 'llama.cpp' and a.bits = b.bits then 'framework'
            when a.model = b.model and a.runtime = b.runtime and a.quantization != b.quantization
                and (a.bits, a.quantization) < (b.bits, b.quantization) then 'quantization'
            when a.model < b.model and a.runtime = b.runtime and a.bits = b.bits then 'model'
        end as kind,
        a,
        b
    from configurations as a
    inner join configurations as b on a.machine = b.machine and a.configuration_id != b.configuration_id
)
select
    kind,
    a.configuration_id as a_id,
    b.configuration_id as b_id,
    nullif(concat_ws(
        '; ',
        if(a.server is distinct from 'lmstudio' or b.server is distinct from 'lmstudio', 'not both through LM Studio', null),
        if(a.endpoint is distinct from b.endpoint, 'different endpoints', null),
        if(a.sampling is distinct from b.sampling, 'different sampling', null),
        if(a.context_effective < 131072 or b.context_effective < 131072, 'context below 131,072', null),
        if(a.parallel != b.parallel, a.parallel || ' slots against ' || b.parallel, null)
    ), '') as obstacle,
    nullif(concat_ws(
        '; ',
        if(a.context_effective != b.context_effective, 'different context', null),
        if(a.context_effective is null or b.context_effective is null, 'context unknown on one side', null)
    ), '') as memory_obstacle,
    nullif(concat_ws(
        '; ',
        if(a.parallel is null or b.parallel is null, 'slots unknown on one side', null),
        if(a.context_effective is null or b.context_effective is null, 'context unknown on one side', null),
        if(a.context_effective != b.context_effective, 'different context, both long enough', null),
        if(a.is_forced or b.is_forced, 'a check had failed', null)
    ), '') as caveat
from beside
where kind is not null;

comment on view pairs is 'One row per two configurations of one machine that differ in one thing: framework, quantization or model.';
comment on column pairs.kind is 'framework: MLX (a) and llama.cpp (b) at one bit width; quantization: fewer bits (a) and more (b); model: two models at one runtime and bit width.';
comment on column pairs.a_id is 'Configuration a.';
comment on column pairs.b_id is 'Configuration b.';
comment on column pairs.obstacle is 'Why the two are not comparable; NULL if they are.';
comment on column pairs.memory_obstacle is 'What forbids, beyond that, to compare memory and load time.';
comment on column pairs.caveat is 'What is unknown about their being alike, or differs and does no harm.';
