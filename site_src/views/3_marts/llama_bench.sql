-- Mean and standard deviation, as llama-bench itself prints them.
create or replace view llama_bench as
select
    runs.run_id,
    runs.file,
    runs.run_started_at,
    runs.machine,
    runs.model,
    runs.quantization,
    runs.bits,
    runs.runtime_version,
    runs.file_gb,
    bench.bench_test,
    bench.bench_depth,
    len(bench.bench_tps) as repetition_count,
    list_avg(bench.bench_tps) as mean_tps,
    list_aggregate(bench.bench_tps, 'stddev_samp') as sd_tps,
    list_min(bench.bench_tps) as min_tps,
    list_max(bench.bench_tps) as max_tps,
    bench.bench_settings,
    if(len(bench.bench_tps) < 2, 'one repetition has no spread', null) as reason
from raw_facts as bench
inner join runs using (run_id)
where bench.op = 'bench'
order by runs.run_started_at, runs.run_id, bench.op_index;

comment on view llama_bench is 'One row per test of an imported llama-bench file. It times the engine alone, on made-up tokens: comparable with no run through a server.';
comment on column llama_bench.run_id is 'The run file it stands in.';
comment on column llama_bench.file is 'That file in results/runs.';
comment on column llama_bench.run_started_at is 'When its first test began, UTC.';
comment on column llama_bench.machine is 'Processor and graphics as llama-bench names them; it tells nothing else.';
comment on column llama_bench.model is 'The model, by models.csv; an unknown one keeps its file''s name.';
comment on column llama_bench.quantization is 'As llama.cpp or the file''s name says.';
comment on column llama_bench.bits is 'Nominal bits per weight.';
comment on column llama_bench.runtime_version is 'Build of llama.cpp.';
comment on column llama_bench.file_gb is 'Size of the tensors, GB.';
comment on column llama_bench.bench_test is 'pp512 reads a prompt of 512 tokens, tg128 generates 128, pp512+tg128 does both.';
comment on column llama_bench.bench_depth is 'Tokens in the context before.';
comment on column llama_bench.repetition_count is 'Repetitions.';
comment on column llama_bench.mean_tps is 'Mean over the repetitions, tokens/s.';
comment on column llama_bench.sd_tps is 'Standard deviation over the repetitions, tokens/s.';
comment on column llama_bench.min_tps is 'Slowest repetition, tokens/s.';
comment on column llama_bench.max_tps is 'Fastest repetition, tokens/s.';
comment on column llama_bench.bench_settings is 'How llama-bench ran the engine.';
comment on column llama_bench.reason is 'Why there is no spread.';
