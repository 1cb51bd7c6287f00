-- MLX against llama.cpp: what pair_ratios says of them, beside both sides' own figures.
create or replace view framework_delta as
with
sides as (
    select
        run_summary.*,
        file_gb * 8 / known.parameters_total_b as file_bits_per_weight
    from run_summary
    left join (select distinct model, parameters_total_b from stg_models) as known using (model)
)
select
    mlx.machine,
    mlx.model,
    mlx.bits,
    mlx.quantization as mlx_quantization,
    llama.quantization as llama_cpp_quantization,
    mlx.file_bits_per_weight as mlx_file_bits_per_weight,
    llama.file_bits_per_weight as llama_cpp_file_bits_per_weight,
    mlx.context_effective as mlx_context,
    llama.context_effective as llama_cpp_context,
    mlx.configuration_id as mlx_configuration_id,
    llama.configuration_id as llama_cpp_configuration_id,
    ratios.prompt_count,
    ratios.request_count,
    ratios.runs_a_side,
    mlx.decode_tps as mlx_decode_tps,
    llama.decode_tps as llama_cpp_decode_tps,
    ratios.decode_tps_ratio, ratios.decode_tps_ratio_low, ratios.decode_tps_ratio_high, ratios.interval_kind,
    ratios.ttft_ms_ratio, ratios.ttft_ms_ratio_low, ratios.ttft_ms_ratio_high,
    ratios.ttft_prompt_count, ratios.ttft_request_count,
    ratios.detectable_difference,
    sided(ratios.verdict, 'MLX', 'llama.cpp') as verdict,
    sided(ratios.ttft_verdict, 'MLX', 'llama.cpp') as ttft_verdict,
    mlx.peak_memory_gb as mlx_peak_memory_gb,
    llama.peak_memory_gb as llama_cpp_peak_memory_gb,
    ratios.peak_memory_difference_gb,
    ratios.peak_memory_ratio, ratios.peak_memory_ratio_low, ratios.peak_memory_ratio_high,
    sided(ratios.memory_verdict, 'MLX', 'llama.cpp') as memory_verdict,
    ratios.memory_run_count,
    ratios.memory_reason,
    ratios.load_kind,
    ratios.load_difference_s,
    ratios.load_s_ratio, ratios.load_s_ratio_low, ratios.load_s_ratio_high,
    sided(ratios.load_verdict, 'MLX', 'llama.cpp') as load_verdict,
    ratios.load_run_count,
    ratios.load_reason,
    ratios.reason
from pair_ratios as ratios
inner join sides as mlx on mlx.configuration_id = ratios.a_id
inner join sides as llama on llama.configuration_id = ratios.b_id
where ratios.kind = 'framework'
order by mlx.machine, mlx.model, mlx.bits, llama.quantization, mlx.configuration_id, llama.configuration_id;

comment on view framework_delta is 'One row per MLX and llama.cpp configuration of the same machine, model and nominal bits. Ratios are MLX over llama.cpp.';
comment on column framework_delta.machine is 'Chip, GPU cores, memory.';
comment on column framework_delta.model is 'The model.';
comment on column framework_delta.bits is 'Nominal bits per weight on both sides.';
comment on column framework_delta.mlx_quantization is 'Quantization on the MLX side.';
comment on column framework_delta.llama_cpp_quantization is 'Quantization on the llama.cpp side.';
comment on column framework_delta.mlx_file_bits_per_weight is 'Real bits per weight on the MLX side: size of the file over the model''s weights.';
comment on column framework_delta.llama_cpp_file_bits_per_weight is 'The same on the llama.cpp side.';
comment on column framework_delta.mlx_context is 'Context length on the MLX side, tokens.';
comment on column framework_delta.llama_cpp_context is 'Context length on the llama.cpp side, tokens.';
comment on column framework_delta.mlx_configuration_id is 'Configuration on the MLX side.';
comment on column framework_delta.llama_cpp_configuration_id is 'Configuration on the llama.cpp side.';
comment on column framework_delta.prompt_count is 'Prompts with a decode speed on both sides.';
comment on column framework_delta.request_count is 'Requests of both sides behind it.';
comment on column framework_delta.mlx_decode_tps is 'Decode speed with MLX, tokens/s.';
comment on column framework_delta.llama_cpp_decode_tps is 'Decode speed with llama.cpp, tokens/s.';
comment on column framework_delta.decode_tps_ratio is 'Decode speed, MLX over llama.cpp: geometric mean over the prompts both have, paired by prompt and repeat.';
comment on column framework_delta.decode_tps_ratio_low is 'Lower end of its 95 % interval, from prompts and from runs of both sides.';
comment on column framework_delta.decode_tps_ratio_high is 'Upper end of its 95 % interval.';
comment on column framework_delta.ttft_ms_ratio is 'Time to first token, MLX over llama.cpp; below 1 MLX is earlier.';
comment on column framework_delta.ttft_ms_ratio_low is 'Lower end of its 95 % interval.';
comment on column framework_delta.ttft_ms_ratio_high is 'Upper end of its 95 % interval.';
comment on column framework_delta.detectable_difference is 'Smallest relative difference that would be found with a power of 80 % at the spread seen.';
comment on column framework_delta.verdict is 'MLX faster or llama.cpp faster (by more than 3 %), equivalent (within 3 %), small difference, inconclusive, one run a side, or not comparable.';
comment on column framework_delta.ttft_verdict is 'The same of the time to first token: MLX later or llama.cpp later.';
comment on column framework_delta.mlx_peak_memory_gb is 'Peak memory with MLX, GB.';
comment on column framework_delta.llama_cpp_peak_memory_gb is 'Peak memory with llama.cpp, GB.';
comment on column framework_delta.peak_memory_difference_gb is 'Highest peak with MLX less that with llama.cpp, GB; only at the same context, read the same way.';
comment on column framework_delta.peak_memory_ratio is 'Peak memory, MLX over llama.cpp: geometric means over runs.';
comment on column framework_delta.peak_memory_ratio_low is 'Lower end of its 95 % interval.';
comment on column framework_delta.peak_memory_ratio_high is 'Upper end of its 95 % interval.';
comment on column framework_delta.memory_verdict is 'MLX larger or llama.cpp larger (by more than 3 %), equivalent, small difference, inconclusive, one run a side, or not comparable.';
comment on column framework_delta.memory_run_count is 'Runs with that peak on the side with fewer.';
comment on column framework_delta.memory_reason is 'Why that is not sure.';
comment on column framework_delta.load_kind is 'warm: both files were probably cached; cold: neither.';
comment on column framework_delta.load_difference_s is 'Median load time with MLX less that with llama.cpp, seconds.';
comment on column framework_delta.load_s_ratio is 'Load time, MLX over llama.cpp: geometric means over loads of that kind.';
comment on column framework_delta.load_s_ratio_low is 'Lower end of its 95 % interval.';
comment on column framework_delta.load_s_ratio_high is 'Upper end of its 95 % interval.';
comment on column framework_delta.load_verdict is 'MLX slower or llama.cpp slower (by more than 3 %), equivalent, small difference, inconclusive, one run a side, or not comparable.';
comment on column framework_delta.load_run_count is 'Such loads on the side with fewer.';
comment on column framework_delta.load_reason is 'Why that is not sure.';
comment on column framework_delta.reason is 'Why it is not comparable, or what is unknown about its being so.';
comment on column framework_delta.runs_a_side is 'Runs behind the speed, of the side with fewer.';
comment on column framework_delta.interval_kind is 'between runs: the interval holds what runs of this machine differ by; within this run: no configuration has two runs yet, and it does not.';
comment on column framework_delta.ttft_prompt_count is 'Prompts with a TTFT on both sides.';
comment on column framework_delta.ttft_request_count is 'Requests of both sides behind the TTFT.';
