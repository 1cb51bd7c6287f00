-- What production asks for, over all pairs of a machine; ease of use is no measurement, and stands on the page in words.
create or replace view framework_criteria as
with
steadiness as (
    select
        mlx.configuration_id as mlx_id, llama.configuration_id as llama_id,
        case
            when mlx.cv_high < llama.cv_low then 'MLX'
            when llama.cv_high < mlx.cv_low then 'llama.cpp'
            when mlx.verdict = 'settled' and llama.verdict = 'settled' then 'level'
        end as ahead
    from stability as mlx
    cross join stability as llama
),
criteria as (
    select machine, 1 as place, 'speed' as criterion, ahead_of(verdict, 'faster', false) as ahead, request_count
    from framework_delta
    union all
    select machine, 2, 'memory', ahead_of(memory_verdict, 'larger', true), request_count from framework_delta
    union all
    select machine, 3, 'load time', ahead_of(load_verdict, 'slower', true), request_count from framework_delta
    union all
    select machine, 4, 'stability', if(verdict = 'not comparable', null, ahead), request_count
    from framework_delta
    left join steadiness on mlx_id = mlx_configuration_id and llama_id = llama_cpp_configuration_id
)
select
    machine,
    criterion,
    case
        when count(ahead) = 0 then 'not known'
        when count(distinct ahead) filter (ahead != 'level') > 1 then 'depends'
        else coalesce(any_value(ahead) filter (ahead != 'level'), 'level')
    end as verdict,
    count(*) filter (ahead = 'MLX') as mlx_ahead_count,
    count(*) filter (ahead = 'level') as level_count,
    count(*) filter (ahead = 'llama.cpp') as llama_cpp_ahead_count,
    count(*) - count(ahead) as undecided_count,
    count(*) as pair_count,
    sum(request_count)::bigint as request_count
from criteria
group by machine, place, criterion
order by machine, place;

comment on view framework_criteria is 'One row per machine with both runtimes and criterion of production: which runtime is ahead, over all pairs.';
comment on column framework_criteria.machine is 'Chip, GPU cores, memory.';
comment on column framework_criteria.criterion is 'speed: decode; memory: peak; load time; stability: CV of decode speed.';
comment on column framework_criteria.verdict is 'MLX or llama.cpp, where no decided pair says the other; level; depends, where pairs disagree; not known.';
comment on column framework_criteria.mlx_ahead_count is 'Pairs in which MLX is ahead.';
comment on column framework_criteria.level_count is 'Pairs in which they are equivalent or differ by little; of stability, whose intervals overlap with both settled.';
comment on column framework_criteria.llama_cpp_ahead_count is 'Pairs in which llama.cpp is ahead.';
comment on column framework_criteria.undecided_count is 'Pairs that are inconclusive or not comparable.';
comment on column framework_criteria.pair_count is 'Pairs.';
comment on column framework_criteria.request_count is 'Requests behind the pairs'' speeds.';
