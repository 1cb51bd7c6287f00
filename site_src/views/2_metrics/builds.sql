-- The reference of a build is the highest precision of its model in the same engine on the same machine.
create or replace view builds as
with
known as (
    select
        build_id,
        any_value(build_label) as label,
        any_value(machine) as machine,
        any_value(server) as server,
        any_value(endpoint) as endpoint,
        any_value(runtime) as runtime,
        any_value(model) as model,
        any_value(quantization) as quantization,
        any_value(bits) as bits,
        max(file_bytes) as file_bytes,
        any_value(sampling) as sampling,
        count(*) as output_count,
        count(*) filter (op = 'quality') as quality_count,
        count(*) filter (op = 'fidelity') as fidelity_count
    from stg_outputs
    group by build_id
)
select
    *,
    first_value(build_id) over (
        partition by machine, server, endpoint, runtime, model, sampling
        order by quality_count + fidelity_count > 0 desc, bits desc nulls last, file_bytes desc nulls last, quantization desc, build_id
    ) as reference_id
from known;

comment on view builds is 'One row per build: the same weights in the same engine with the same sampling, on one machine.';
comment on column builds.build_id is 'The build.';
comment on column builds.label is 'Model, quantization, engine.';
comment on column builds.machine is 'Chip, GPU cores, memory.';
comment on column builds.server is 'The program that answered.';
comment on column builds.endpoint is 'Path that requests went to.';
comment on column builds.runtime is 'Engine that ran the model.';
comment on column builds.model is 'The model, by models.csv.';
comment on column builds.quantization is 'As the server or the file names it.';
comment on column builds.bits is 'Nominal bits per weight.';
comment on column builds.file_bytes is 'Size of the weights in bytes.';
comment on column builds.sampling is 'Sampling parameters of timed requests.';
comment on column builds.output_count is 'Stored outputs.';
comment on column builds.quality_count is 'Those of quality passes.';
comment on column builds.fidelity_count is 'Those at temperature 0.';
comment on column builds.reference_id is 'The build of highest precision of this model and engine; itself, if it is that one.';
