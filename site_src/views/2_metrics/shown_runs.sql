create or replace view shown_runs as
select run_id from shown_streams
union select run_id from shown_samples
union select run_id from shown_outputs
union select run_id from fidelity_passes;

comment on view shown_runs is 'One row per run of which a page shows more than figures: chunks, memory samples or texts. Only of these the table raw_details holds any.';
comment on column shown_runs.run_id is 'The run.';
