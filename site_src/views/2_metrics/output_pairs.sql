-- Two builds of this repository answered the same request. Answers that read alike leave nothing to judge, even if the reasoning differs.
create or replace view output_pairs as
with
answers as (
    select * from stg_outputs
    where contributor is null and op = 'quality' and has_answer and prompt_sha256 is not null and nonce is not null
)
select
    a.build_id as a_id,
    b.build_id as b_id,
    a.prompt_id,
    a.prompt_sha256,
    a.nonce,
    a.run_id as a_run_id,
    a.op_index as a_op_index,
    a.text_sha256 as a_sha256,
    b.run_id as b_run_id,
    b.op_index as b_op_index,
    b.text_sha256 as b_sha256,
    a.build_label as a_label,
    b.build_label as b_label,
    a.machine,
    case
        when a.model = b.model and a.runtime = b.runtime then 1
        when a.model = b.model and nominal_bits(a.quantization) = nominal_bits(b.quantization) then 1
        when a.model = b.model then 2
        when nominal_bits(a.quantization) = nominal_bits(b.quantization) then 3
        else 4
    end as importance
from answers as a
inner join answers as b
    on
        a.machine = b.machine and a.prompt_sha256 = b.prompt_sha256 and a.nonce = b.nonce and a.build_id < b.build_id
        and a.answer_sha256 != b.answer_sha256;

comment on view output_pairs is 'One row per two outputs that somebody could judge: of the quality pass, same machine, prompt and nonce, two builds, different answers.';
comment on column output_pairs.a_id is 'Build a; of the two ids the smaller one.';
comment on column output_pairs.b_id is 'Build b.';
comment on column output_pairs.prompt_id is 'The prompt''s name in its suite.';
comment on column output_pairs.prompt_sha256 is 'Hash of text, material and token limit.';
comment on column output_pairs.nonce is 'Six digits that both requests began with.';
comment on column output_pairs.a_run_id is 'The run that holds the output of a.';
comment on column output_pairs.a_op_index is 'Its place there.';
comment on column output_pairs.a_sha256 is 'Hash of its text.';
comment on column output_pairs.b_run_id is 'The run that holds the output of b.';
comment on column output_pairs.b_op_index is 'Its place there.';
comment on column output_pairs.b_sha256 is 'Hash of its text.';
comment on column output_pairs.a_label is 'Model, quantization, engine of a.';
comment on column output_pairs.b_label is 'Model, quantization, engine of b.';
comment on column output_pairs.machine is 'Chip, GPU cores, memory of both.';
comment on column output_pairs.importance is '1: a model''s quantizations on one engine, or its engines at the same nominal bits; 2: the same model otherwise; 3: two models at the same bits; 4: the rest.';
