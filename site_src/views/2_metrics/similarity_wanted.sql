-- Pairs of texts to be measured for similarity: what each build wrote at temperature 0 against what its reference wrote to
-- the same request; for the reference itself, its second text against its first.
create or replace view similarity_wanted as
with
passes as (
    select outputs.*, reference_id, concat(reasoning_text, output_text) as text
    from stg_outputs as outputs
    inner join fidelity_passes using (run_id, op_index)
    left join raw_details using (run_id, op_index)
)
select
    own.run_id,
    own.op_index,
    own.prompt_id,
    own.prompt_sha256,
    own.text,
    own.text_sha256,
    other.run_id as other_run_id,
    other.op_index as other_op_index,
    other.text as other_text,
    other.text_sha256 as other_sha256
from passes as own
inner join passes as other
    on other.build_id = own.reference_id and other.prompt_sha256 = own.prompt_sha256 and other.nonce = own.nonce
    and other.repeat = 1 and (other.run_id, other.op_index) != (own.run_id, own.op_index)
where not exists (
    from raw_grades as done
    where done.tier = 'Q2' and done.contributor is null and done.run_id = own.run_id and done.op_index = own.op_index
        and done.text_sha256 = own.text_sha256 and done.other_sha256 = other.text_sha256
)
order by own.run_id, own.op_index, other.op_index;

comment on view similarity_wanted is 'One row per pair of outputs at temperature 0 whose similarity is not measured yet.';
comment on column similarity_wanted.run_id is 'The run of the text.';
comment on column similarity_wanted.op_index is 'Its place there.';
comment on column similarity_wanted.prompt_id is 'The prompt of both.';
comment on column similarity_wanted.prompt_sha256 is 'Hash of the prompt.';
comment on column similarity_wanted.text is 'All that was generated, reasoning first; untrusted.';
comment on column similarity_wanted.text_sha256 is 'Hash of reasoning and answer.';
comment on column similarity_wanted.other_run_id is 'The run of the reference''s text.';
comment on column similarity_wanted.other_op_index is 'Its place there.';
comment on column similarity_wanted.other_text is 'The reference''s text; untrusted.';
comment on column similarity_wanted.other_sha256 is 'Its hash.';
