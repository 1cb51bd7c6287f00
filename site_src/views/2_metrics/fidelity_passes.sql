create or replace view fidelity_passes as
select outputs.run_id, outputs.op_index, builds.reference_id
from stg_outputs as outputs
inner join builds using (build_id)
where outputs.op = 'fidelity'
    -- of several passes the latest
    and outputs.run_id = (
        select arg_max(run_id, (run_started_at, run_id)) from stg_outputs as others
        where others.op = 'fidelity' and others.build_id = outputs.build_id
    );

comment on view fidelity_passes is 'One row per output at temperature 0, of each build''s latest pass.';
comment on column fidelity_passes.run_id is 'The run.';
comment on column fidelity_passes.op_index is 'Place among the run''s operations.';
comment on column fidelity_passes.reference_id is 'The build it is measured against.';
