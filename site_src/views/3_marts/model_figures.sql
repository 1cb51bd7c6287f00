-- One configuration stands for each model, engine and quantization, the same as in `candidates`.
create or replace view model_figures as
with
known as (
    select distinct model, parameters_total_b, parameters_active_b, context_advertised from stg_models
),
summaries as (
    select
        configuration_id, server, suite, ttft_ms, ttft_ms_low, ttft_ms_high, peak_memory_gb, peak_memory_kind
    from run_summary
)
select
    chosen.configuration_id, chosen.label, chosen.machine, server, chosen.model, chosen.runtime, chosen.quantization, chosen.bits,
    if(
        parameters_total_b is null, chosen.model,
        format('{} ({:g} B, {:g} B active)', chosen.model, parameters_total_b, coalesce(parameters_active_b, parameters_total_b))
    ) as model_name,
    suite, parameters_total_b, parameters_active_b,
    chosen.decode_tps, chosen.decode_tps_low, chosen.decode_tps_high, chosen.interval_kind, chosen.decode_run_count,
    ttft_ms, ttft_ms_low, ttft_ms_high,
    summaries.peak_memory_gb, summaries.peak_memory_kind,
    chosen.decode_tps / summaries.peak_memory_gb as tps_per_gb,
    chosen.decode_tps_low / summaries.peak_memory_gb as tps_per_gb_low,
    chosen.decode_tps_high / summaries.peak_memory_gb as tps_per_gb_high,
    load_s, load_s_low, load_s_high, load_kind, coalesce(load_count, 0) as load_count,
    known.context_advertised, chosen.context_usable,
    coalesce(quality.passed_count, 0) as passed_count, coalesce(quality.checked_count, 0) as checked_count,
    chosen.quality_gate, chosen.request_count, chosen.run_count,
    chosen.reason
from candidates as chosen
left join summaries using (configuration_id)
left join configuration_load using (configuration_id)
left join configuration_quality as quality using (configuration_id)
left join known on known.model = chosen.model
order by chosen.machine, chosen.model, chosen.runtime, chosen.bits nulls last, chosen.quantization, chosen.configuration_id;

comment on view model_figures is 'One row per machine, model, engine and quantization: its speed, memory, load time, context and quality side by side.';
comment on column model_figures.configuration_id is 'The configuration that stands for it.';
comment on column model_figures.label is 'Model, quantization, engine.';
comment on column model_figures.machine is 'Chip, GPU cores, memory.';
comment on column model_figures.server is 'The program that answered.';
comment on column model_figures.model is 'The model.';
comment on column model_figures.runtime is 'Engine that ran the model.';
comment on column model_figures.quantization is 'Its quantization.';
comment on column model_figures.bits is 'Nominal bits per weight.';
comment on column model_figures.model_name is 'The model with its weights in all and those used for a token, in billions.';
comment on column model_figures.suite is 'Prompt suite.';
comment on column model_figures.parameters_total_b is 'Weights in all, billions.';
comment on column model_figures.parameters_active_b is 'Weights used for a token, billions.';
comment on column model_figures.decode_tps is 'Decode speed, tokens/s; tokens of two tokenizers are not the same amount of text.';
comment on column model_figures.decode_tps_low is 'Lower end of its 95 % interval.';
comment on column model_figures.decode_tps_high is 'Upper end of its 95 % interval.';
comment on column model_figures.ttft_ms is 'Time to first token, ms.';
comment on column model_figures.ttft_ms_low is 'Lower end of its 95 % interval.';
comment on column model_figures.ttft_ms_high is 'Upper end of its 95 % interval.';
comment on column model_figures.peak_memory_gb is 'Peak memory, GB.';
comment on column model_figures.peak_memory_kind is 'What that figure holds.';
comment on column model_figures.tps_per_gb is 'Tokens/s for each GB of peak memory.';
comment on column model_figures.tps_per_gb_low is 'Lower end: the speed''s interval over the same memory.';
comment on column model_figures.tps_per_gb_high is 'Upper end, likewise.';
comment on column model_figures.load_s is 'Load time, s: median of its warm loads, else of the cold ones, else of all.';
comment on column model_figures.load_s_low is 'Lower end of its 95 % interval; NULL with one load.';
comment on column model_figures.load_s_high is 'Upper end of it.';
comment on column model_figures.load_kind is 'warm: the file was probably cached; cold: it was not; not known.';
comment on column model_figures.load_count is 'Loads behind it.';
comment on column model_figures.context_advertised is 'Longest context the model is made for, tokens.';
comment on column model_figures.context_usable is 'Largest rung of a ladder that passed, tokens; NULL: none was climbed.';
comment on column model_figures.passed_count is 'Prompts that pass their checks.';
comment on column model_figures.checked_count is 'Prompts with a judged answer.';
comment on column model_figures.quality_gate is 'pass, warn, fail or unproven.';
comment on column model_figures.request_count is 'Requests behind the decode speed.';
comment on column model_figures.run_count is 'Runs.';
comment on column model_figures.reason is 'Why it cannot be recommended.';
comment on column model_figures.interval_kind is 'between runs: its interval holds what runs of this machine differ by; within this run: no configuration has two runs yet, and it does not.';
comment on column model_figures.decode_run_count is 'Runs behind the decode speed.';
