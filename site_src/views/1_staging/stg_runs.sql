create or replace view stg_runs as
with
-- A run's first row; found by its number before its hundred columns are looked at, and one only, whatever a file holds.
runs as (
    select * replace (quantization_name(quantization) as quantization) from raw_facts
    semi join (select run_id, min(op_index) as op_index from raw_facts group by run_id) as firsts using (run_id, op_index)
    qualify row_number() over (partition by run_id order by op_index) = 1
),
-- the only place that says which model a key means; an unknown one keeps its key
known as (
    select model_key, min(stg_models.model) as model
    from (select distinct model_key from runs) as keys
    inner join stg_models on model_core(model_key) glob stg_models.alias
    group by model_key
),
named as (
    select
        runs.*, contributor, coalesce(known.model, runs.model_key) as model,
        machine_name(chip, gpu_cores, cpu_cores, memory_bytes) as machine_alone
    from runs
    left join raw_contributors using (file)
    left join known on known.model_key = runs.model_key
)
select
    run_id,
    file,
    run_state,
    run_started_at,
    run_seconds,
    coalesce(forced, false) as is_forced,
    collector_version,

    ---------- machine
    -- a machine that somebody else says to have is another one: nothing of theirs is pooled with what is ours
    concat_ws('-by-', machine_alone, replace(contributor, ' ', '-')) as machine,
    contributor,
    gb(memory_bytes) as machine_memory_gb,
    os_name = 'macOS' as is_macos,
    concat_ws(' ', os_name, os_version) as os,

    ---------- server and engine
    server,
    server_version,
    endpoint,
    coalesce(runtime, 'unknown') as runtime,
    runtime_version,
    runtime_proof,

    ---------- model
    coalesce(model, 'unknown') as model,
    model_key,
    model_format,
    coalesce(quantization, 'unknown') as quantization,
    nominal_bits(quantization) as bits,
    file_bytes,
    model_parameters,
    context_requested,
    context_effective,
    parallel,

    ---------- what was asked
    suite,
    suite_sha256,
    repeats,
    seed_honored,
    served_by,
    concat_ws(
        ' ', 'temperature=' || temperature, 'top_p=' || top_p, 'top_k=' || top_k,
        'repeat_penalty=' || repeat_penalty, 'seed=' || seed
    ) as sampling,
    memory_method,
    engine_found_by,
    engine_is_new,
    wired_limit_mb,
    energy_source,
    energy_channels,
    energy_reason,
    context_advertised,
    context_budget_s,
    left(md5(concat_ws('|', machine, server, endpoint, runtime, model, quantization, context_effective)), 12) as ladder_id,
    left(md5(concat_ws(
        '|', machine, server, endpoint, runtime, model, quantization, context_effective, parallel, sampling, suite,
        suite_sha256
    )), 12) as configuration_id,
    concat(coalesce(model, 'unknown'), ' ', coalesce(quantization, 'unknown'), ' · ', coalesce(runtime, 'unknown')) as label
from named;

comment on view stg_runs is 'One row per run: who measured what, with the names and types that all later views use.';
comment on column stg_runs.run_id is 'The run.';
comment on column stg_runs.file is 'Its file in results/runs.';
comment on column stg_runs.run_state is 'complete or interrupted.';
comment on column stg_runs.run_started_at is 'When it began, UTC.';
comment on column stg_runs.run_seconds is 'How long it took, in seconds; NULL after a crash.';
comment on column stg_runs.is_forced is 'Measured although a check of the machine had failed.';
comment on column stg_runs.collector_version is 'Version of the collector.';
comment on column stg_runs.machine is 'Chip, GPU cores and memory: machines with the same name are taken as equal.';
comment on column stg_runs.contributor is 'The key that signed a file of somebody else''s, in short, or that it is not signed; NULL is this repository''s own.';
comment on column stg_runs.machine_memory_gb is 'Memory built in, GB.';
comment on column stg_runs.is_macos is 'Whether the machine runs macOS, which decides what peak memory means.';
comment on column stg_runs.os is 'Operating system and version.';
comment on column stg_runs.server is 'The program that answered the requests.';
comment on column stg_runs.server_version is 'Its version.';
comment on column stg_runs.endpoint is 'Path that timed requests went to.';
comment on column stg_runs.runtime is 'Engine that ran the model: mlx, llama.cpp, …; unknown where it could not be told.';
comment on column stg_runs.runtime_version is 'Version of the engine.';
comment on column stg_runs.runtime_proof is 'How the engine is known; NULL is not proven.';
comment on column stg_runs.model is 'The model, by models.csv; an unknown one keeps its key.';
comment on column stg_runs.model_key is 'What the server called it.';
comment on column stg_runs.model_format is 'gguf or mlx.';
comment on column stg_runs.quantization is 'As the server or the file names it; llama.cpp''s Q4_K - Medium is Q4_K_M.';
comment on column stg_runs.bits is 'Nominal bits per weight.';
comment on column stg_runs.file_bytes is 'Size of the weights in bytes.';
comment on column stg_runs.model_parameters is 'Number of weights, where the server tells.';
comment on column stg_runs.context_requested is 'Context length asked for, in tokens.';
comment on column stg_runs.context_effective is 'Context length read back from the server, in tokens.';
comment on column stg_runs.parallel is 'Slots for requests at once.';
comment on column stg_runs.suite is 'Prompt suite.';
comment on column stg_runs.suite_sha256 is 'Hash of its prompts.';
comment on column stg_runs.repeats is 'Measured requests planned per prompt.';
comment on column stg_runs.seed_honored is 'Whether the same warm-up request twice gave the same text; NULL is not known.';
comment on column stg_runs.served_by is 'Another device that answered; NULL is this one.';
comment on column stg_runs.sampling is 'Sampling parameters as sent.';
comment on column stg_runs.configuration_id is 'Equal for runs that measure the same: machine, server, engine, model, quantization, context, slots, sampling, suite with its hash. Versions are left out, so that a configuration has a history.';
comment on column stg_runs.label is 'The configuration in short: model, quantization, engine.';
comment on column stg_runs.memory_method is 'What the memory samples hold.';
comment on column stg_runs.engine_found_by is 'How the engine''s processes were told from others.';
comment on column stg_runs.engine_is_new is 'Whether each of them was started for this load.';
comment on column stg_runs.energy_source is 'Where readings of energy come from.';
comment on column stg_runs.energy_channels is 'The system''s counters behind them.';
comment on column stg_runs.energy_reason is 'Why no counter could be read.';
comment on column stg_runs.wired_limit_mb is 'macOS wired limit in MiB; 0 is the system''s default.';
comment on column stg_runs.context_advertised is 'Longest context the model is made for, by the server, tokens.';
comment on column stg_runs.context_budget_s is 'Time the ladder was given, s; NULL: no ladder.';
comment on column stg_runs.ladder_id is 'Equal for runs of speed and ladders of the same machine, server, engine, model, quantization and context.';
