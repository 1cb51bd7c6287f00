create or replace view stg_texts as
select
    file,
    run_id,
    op_index,
    sha256(concat(coalesce(reasoning_text, ''), chr(31), coalesce(output_text, ''))) as text_sha256,
    sha256(trim(output_text, e' \t\r\n')) as answer_sha256,
    regexp_matches(output_text, '\S') as has_answer,
    length(output_text) as answer_chars,
    length(reasoning_text) as reasoning_chars
from raw_details
where op in ('request', 'quality', 'fidelity');

comment on view stg_texts is 'One row per output that a request brought: what can be said of its text without it.';
comment on column stg_texts.file is 'The run file.';
comment on column stg_texts.run_id is 'The run.';
comment on column stg_texts.op_index is 'Place among the run''s operations.';
comment on column stg_texts.text_sha256 is 'Hash of reasoning and answer, which ties grades and votes to the text.';
comment on column stg_texts.answer_sha256 is 'Hash of the answer less space around it: equal for answers that read alike.';
comment on column stg_texts.has_answer is 'Whether there is anything but space in the answer.';
comment on column stg_texts.answer_chars is 'Characters of the answer.';
comment on column stg_texts.reasoning_chars is 'Characters of the reasoning.';
