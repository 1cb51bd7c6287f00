-- Equal pass rates hide that one build fails where the other passes, and the other way round (arXiv 2407.09141). Exact
-- McNemar test over prompts, by what more than half of a prompt's answers did: six flips all in one direction are needed.
create or replace view quality_flips as
with
beside as (
    select
        case
            when a.build_id = b.reference_id and a.runtime = b.runtime then 'reference'
            when a.model = b.model and a.bits = b.bits and a.runtime = 'llama.cpp' and b.runtime = 'mlx' then 'runtime'
            when a.model < b.model and a.runtime = b.runtime and a.bits = b.bits then 'model'
        end as kind,
        a, b
    from builds as a
    inner join builds as b
        on a.machine = b.machine and a.server is not distinct from b.server and a.endpoint is not distinct from b.endpoint
        and a.sampling = b.sampling and a.build_id != b.build_id
),
flips as (
    select
        a.build_id as a_id, b.build_id as b_id,
        count(*) as prompt_count,
        sum(x.judged_count + y.judged_count)::bigint as answer_count,
        count(*) filter (x.is_passed and y.is_passed) as both_count,
        count(*) filter (x.is_passed and not y.is_passed) as lost_count,
        count(*) filter (not x.is_passed and y.is_passed) as gained_count,
        count(*) filter (not x.is_passed and not y.is_passed) as neither_count,
        string_agg(x.prompt_id, ', ' order by x.prompt_id) filter (x.is_passed and not y.is_passed) as lost_prompts,
        string_agg(x.prompt_id, ', ' order by x.prompt_id) filter (not x.is_passed and y.is_passed) as gained_prompts
    from beside
    inner join prompt_quality as x on x.build_id = a.build_id and x.is_passed is not null
    inner join prompt_quality as y on y.build_id = b.build_id and y.is_passed is not null and y.prompt_sha256 = x.prompt_sha256
    where kind is not null
    group by a.build_id, b.build_id
)
select
    kind, a.machine, a.server, a.label, b.label as other_label, a.model, b.model as other_model, a.runtime, b.runtime as other_runtime,
    a.quantization, b.quantization as other_quantization, a.bits, b.bits as other_bits,
    a.build_id, b.build_id as other_build_id,
    coalesce(prompt_count, 0) as prompt_count, coalesce(answer_count, 0) as answer_count,
    both_count, lost_count, gained_count, neither_count, lost_prompts, gained_prompts,
    if(prompt_count is null, null, coalesce(sign_test(lost_count, gained_count), 1)) as p_value,
    case
        when prompt_count is null then 'not comparable'
        when sign_test(lost_count, gained_count) < 0.05 then if(lost_count > gained_count, 'worse', 'better')
        else 'inconclusive'
    end as verdict,
    case
        when prompt_count is null then 'no prompt judged on both sides'
        when verdict = 'inconclusive' and lost_count + gained_count < 6
            then format('{} of {} prompts flip; six in one direction are needed', lost_count + gained_count, prompt_count)
        when verdict = 'inconclusive' then 'flips go both ways'
    end as reason
from beside
left join flips on a_id = a.build_id and b_id = b.build_id
where kind is not null
order by kind desc, a.machine, a.model, a.runtime, b.bits desc, a.build_id, b.build_id;

comment on view quality_flips is 'One row per two builds to be compared by checks: a build against the highest precision of its model, MLX against llama.cpp, one model against another at the same bits.';
comment on column quality_flips.kind is 'reference: other precision; runtime: MLX (other) against llama.cpp; model: two models.';
comment on column quality_flips.machine is 'Chip, GPU cores, memory.';
comment on column quality_flips.server is 'The program that answered, for both.';
comment on column quality_flips.label is 'The first: the reference, llama.cpp, or the first model.';
comment on column quality_flips.other_label is 'The other, which is said to be better or worse.';
comment on column quality_flips.model is 'Model of the first.';
comment on column quality_flips.other_model is 'Model of the other.';
comment on column quality_flips.runtime is 'Engine of the first.';
comment on column quality_flips.other_runtime is 'Engine of the other.';
comment on column quality_flips.quantization is 'Quantization of the first.';
comment on column quality_flips.other_quantization is 'Quantization of the other.';
comment on column quality_flips.bits is 'Nominal bits of the first.';
comment on column quality_flips.other_bits is 'Nominal bits of the other.';
comment on column quality_flips.build_id is 'The first build.';
comment on column quality_flips.other_build_id is 'The other build.';
comment on column quality_flips.prompt_count is 'Prompts judged on both sides.';
comment on column quality_flips.answer_count is 'Answers of both sides behind them.';
comment on column quality_flips.both_count is 'Prompts that both pass.';
comment on column quality_flips.lost_count is 'Prompts that the first passes and the other does not.';
comment on column quality_flips.gained_count is 'Prompts that the other passes and the first does not.';
comment on column quality_flips.neither_count is 'Prompts that neither passes.';
comment on column quality_flips.lost_prompts is 'Which are lost.';
comment on column quality_flips.gained_prompts is 'Which are gained.';
comment on column quality_flips.p_value is 'Exact McNemar test, two-sided: how likely as uneven flips are, if neither were better.';
comment on column quality_flips.verdict is 'worse or better (p < 0.05), inconclusive, not comparable.';
comment on column quality_flips.reason is 'Why it is not sure.';
