-- Whether the model that answered is the one that was measured: by the name in the answer, and by what was loaded just
-- before. A server may answer under a name of its own, so what the run's first answer was called is right as well.
create or replace view request_model as
with
answered as (
    select
        run_id, op, op_index, answered_model, loaded_instances,
        answering_name(answered_model) as answered,
        first_value(answering_name(answered_model) ignore nulls) over (partition by run_id order by op_index) as first_answered
    from raw_facts
    where op in ('warmup', 'request', 'context')
),
named as (
    select
        answered.*,
        [first_answered, answering_name(model_key), answering_name(split_part(model_key, '@', 1))] as own_names,
        list_transform(loaded_instances, lambda one: answering_name(one)) as loaded
    from answered
    inner join stg_runs using (run_id)
)
select
    run_id, op_index, answered_model,
    coalesce(answered is not null and not list_contains(own_names, answered), false) as is_other_model,
    coalesce(not list_has_any(loaded, own_names), false) as is_unloaded
from named
where op != 'warmup';

comment on view request_model is 'One row per measured request, of the suite or of a ladder: whether the measured model answered it.';
comment on column request_model.run_id is 'The run.';
comment on column request_model.op_index is 'Place among the run''s operations.';
comment on column request_model.answered_model is 'What the server called the model that answered; NULL where it does not say.';
comment on column request_model.is_other_model is 'Whether that is neither the model''s key nor what the run''s first answer was called.';
comment on column request_model.is_unloaded is 'Whether the server listed what was loaded just before, and this model was not among it.';
