-- How alike a build's texts at temperature 0 are to those of its reference, beside how alike the reference is to itself.
-- Similarity can show damage; it does not rank builds, and a right answer in other words is not similar.
create or replace view similarity as
with
measured as (
    select
        grades.run_id, grades.op_index, grades.prompt_sha256, grades.other_run_id, grades.other_op_index, grades.check_id,
        arg_max(grades.share, (grades.grader_version, grades.graded_at, grades.file)) as value
    from raw_grades as grades
    inner join stg_outputs as own
        on own.run_id = grades.run_id and own.op_index = grades.op_index and own.text_sha256 = grades.text_sha256
    inner join stg_outputs as other
        on other.run_id = grades.other_run_id and other.op_index = grades.other_op_index and other.text_sha256 = grades.other_sha256
    where grades.tier = 'Q2' and grades.contributor is null
    group by all
),
placed as (
    select measured.*, own.build_id, builds.reference_id
    from measured
    inner join stg_outputs as own using (run_id, op_index)
    inner join stg_outputs as other on other.run_id = measured.other_run_id and other.op_index = measured.other_op_index
    inner join builds on builds.build_id = own.build_id and builds.reference_id = other.build_id
),
by_prompt as (
    select build_id, reference_id, prompt_sha256, check_id, avg(value) as value, count(*) as pair_count
    from placed
    group by build_id, reference_id, prompt_sha256, check_id
),
beside as (
    select own.*, noise.value as floor_value
    from by_prompt as own
    left join by_prompt as noise
        on noise.build_id = own.reference_id and noise.prompt_sha256 = own.prompt_sha256 and noise.check_id = own.check_id
),
summed as (
    select
        build_id, reference_id, check_id,
        count(*) as prompt_count,
        sum(pair_count)::bigint as pair_count,
        avg(value) as similarity,
        avg(floor_value) as noise_floor,
        avg(value - floor_value) as floor_difference,
        count(floor_value) as floor_count,
        std_error(value - floor_value) * t_of(count(floor_value) - 1) as margin
    from beside
    group by build_id, reference_id, check_id
)
select
    builds.build_id, builds.label, builds.machine, builds.model, builds.runtime, builds.quantization, builds.bits,
    reference.label as reference_label,
    summed.build_id = summed.reference_id as is_reference,
    check_id as measure,
    prompt_count, pair_count, similarity, noise_floor, floor_difference,
    floor_difference - margin as floor_difference_low,
    floor_difference + margin as floor_difference_high,
    case
        when is_reference then 'the noise floor'
        when floor_difference + margin < 0 then 'below the noise floor'
        else 'inconclusive'
    end as verdict,
    if(not is_reference and floor_count < 2, 'the reference''s texts against its own are missing', null) as reason
from summed
inner join builds on builds.build_id = summed.build_id
inner join builds as reference on reference.build_id = summed.reference_id
order by builds.machine, builds.model, builds.runtime, is_reference desc, builds.bits desc, builds.build_id, check_id;

comment on view similarity is 'One row per build and measure: how alike its texts at temperature 0 are to those of the highest precision of its model. Similarity, not quality.';
comment on column similarity.build_id is 'The build.';
comment on column similarity.label is 'Model, quantization, engine.';
comment on column similarity.machine is 'Chip, GPU cores, memory.';
comment on column similarity.model is 'The model.';
comment on column similarity.runtime is 'The engine.';
comment on column similarity.quantization is 'As the server or the file names it.';
comment on column similarity.bits is 'Nominal bits per weight.';
comment on column similarity.reference_label is 'The build it is compared with.';
comment on column similarity.is_reference is 'Whether it is that build: then it is compared with itself.';
comment on column similarity.measure is 'first_divergence: share of the beginning in common; edit_similarity: 1 − edits ÷ length; chrf: character n-grams.';
comment on column similarity.prompt_count is 'Prompts behind it.';
comment on column similarity.pair_count is 'Pairs of texts behind it.';
comment on column similarity.similarity is 'Mean over prompts, 0 to 1.';
comment on column similarity.noise_floor is 'The same of the reference against itself.';
comment on column similarity.floor_difference is 'Similarity less noise floor, mean over prompts that have both.';
comment on column similarity.floor_difference_low is 'Lower end of its 95 % interval, Student-t over prompts.';
comment on column similarity.floor_difference_high is 'Upper end of it.';
comment on column similarity.verdict is 'below the noise floor (the whole interval is), inconclusive, or the noise floor itself.';
comment on column similarity.reason is 'Why it is not sure.';
