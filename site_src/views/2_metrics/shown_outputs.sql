create or replace view shown_outputs as
select run_id, op_index
from stg_outputs
where op in ('quality', 'request')
qualify row_number() over (
    partition by build_id, prompt_sha256
    order by op = 'quality' desc, repeat, run_started_at desc, run_id, op_index
) = 1;

comment on view shown_outputs is 'One row per build and prompt: of its outputs the one that is shown.';
comment on column shown_outputs.run_id is 'The run.';
comment on column shown_outputs.op_index is 'Place among the run''s operations.';
