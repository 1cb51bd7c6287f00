-- What to use, by the views that decide it; the largest budget of `recommendation` is the whole machine.
create or replace view practices_choice as
with
largest as (
    select
        *, if(priority = 'quality', 'proven', if(context_needed > 0, 'long', 'model')) as practice
    from recommendation
    where (priority, context_needed) in (('speed', 0), ('quality', 0), ('speed', 131072)) and candidate_count > 0
    qualify row_number() over (partition by machine, priority, context_needed order by memory_budget_gb desc) = 1
),
fitting as (
    select
        machine,
        count(*) filter (is_rated) as rated_count,
        count(*) filter (is_rated and budget_gb > machine_memory_gb) as too_large_count,
        arg_max({'label': label, 'gb': memory_gb, 'kind': memory_kind, 'budget': budget_gb, 'n': run_count}, (memory_gb, label))
            filter (is_rated and budget_gb <= machine_memory_gb) as largest
    from candidates
    group by machine
),
weights as (
    select
        machine,
        count(*) as quantization_count,
        count(*) filter (is_surely_dominated or quality_gate = 'fail') as spare_count,
        sum(file_gb) filter (is_surely_dominated or quality_gate = 'fail') as spare_gb,
        string_agg(label, ', ' order by label) filter (is_surely_dominated or quality_gate = 'fail') as spare,
        sum(request_count)::bigint as request_count
    from quant_tradeoff
    where server = 'lmstudio'
    group by machine
),
slowest as (
    select * from model_figures
    where load_s is not null and server = 'lmstudio'
    qualify row_number() over (partition by machine order by load_s desc, configuration_id) = 1
)
select
    machine, practice, verdict, label, decode_tps, decode_tps_low, decode_tps_high, interval_kind, memory_gb,
    memory_budget_gb as budget_gb, request_count, decode_run_count as run_count, coalesce(reason, confidence_reason) as evidence, confidence
from largest
union all by name
select
    machine, 'runtime' as practice, max(verdict) filter (question = 3) as verdict,
    max(figure_of) filter (question = 1) as label,
    max(figure_value) filter (question = 1) as decode_tps_ratio,
    max(figure_value_low) filter (question = 1) as decode_tps_ratio_low,
    max(figure_value_high) filter (question = 1) as decode_tps_ratio_high,
    max(interval_kind) filter (question = 1) as interval_kind,
    max(runs_a_side) filter (question = 1) as runs_a_side,
    max(request_count) filter (question = 1) as request_count,
    max(evidence) filter (question = 3) as evidence
from answers
where machine is not null and question in (1, 3)
group by machine
union all by name
select
    machine, 'quantization' as practice, 'best value' as verdict, best_label as label,
    best_decode_tps as decode_tps, best_decode_tps_low as decode_tps_low, best_decode_tps_high as decode_tps_high,
    best_interval_kind as interval_kind, best_run_count as run_count, best_memory_gb as memory_gb, best_count as affected_count, best_request_count as request_count, best_reason as evidence
from quantization_overview
where best_count > 0
union all by name
select
    machine, 'headroom' as practice, if(too_large_count > 0, 'some need more', 'all fit') as verdict, largest.label as label,
    largest.gb as memory_gb, largest.budget as budget_gb, too_large_count as affected_count, rated_count as case_count,
    largest.n as run_count, largest.kind as evidence
from fitting
where rated_count > 0
union all by name
select
    machine, 'downloads' as practice, if(spare_count > 0, 'some can go', 'none can go') as verdict, spare as label,
    spare_gb as file_gb, spare_count as affected_count, quantization_count as case_count, request_count
from weights
union all by name
select
    machine, 'load' as practice, load_kind as verdict, label, load_s, load_s_low, load_s_high, load_count as case_count
from slowest
order by machine, practice;

comment on view practices_choice is 'One row per machine and choice that the results allow.';
comment on column practices_choice.machine is 'Chip, GPU cores, memory.';
comment on column practices_choice.practice is 'Which advice: model, proven, long, quantization, runtime, headroom, downloads, load.';
comment on column practices_choice.verdict is 'What the results say: of a choice its verdict; of a setting whether runs were without it never, sometimes or always; not measured.';
comment on column practices_choice.label is 'The configuration it is about, or the comparison.';
comment on column practices_choice.decode_tps is 'Its decode speed, tokens/s.';
comment on column practices_choice.decode_tps_low is 'Lower end of its 95 % interval.';
comment on column practices_choice.decode_tps_high is 'Upper end of its 95 % interval.';
comment on column practices_choice.memory_gb is 'Peak memory, GB; of the largest that fits.';
comment on column practices_choice.budget_gb is 'Memory that a machine should have for it, GB.';
comment on column practices_choice.request_count is 'Requests behind it.';
comment on column practices_choice.run_count is 'Runs behind it.';
comment on column practices_choice.evidence is 'What it rests on, or lacks.';
comment on column practices_choice.confidence is 'high, medium or low, of a recommendation.';
comment on column practices_choice.decode_tps_ratio is 'Decode speed, MLX over llama.cpp, of the comparison with most requests.';
comment on column practices_choice.decode_tps_ratio_low is 'Lower end of its 95 % interval.';
comment on column practices_choice.decode_tps_ratio_high is 'Upper end of its 95 % interval.';
comment on column practices_choice.affected_count is 'How many of them it is about: runs without the setting, candidates that do not fit, weights that can go, best values.';
comment on column practices_choice.case_count is 'Of how many: rated candidates, quantizations, loads, prompts sent again.';
comment on column practices_choice.file_gb is 'Weights on disk that can be deleted, GB.';
comment on column practices_choice.load_s is 'Load time of the slowest to load, s.';
comment on column practices_choice.load_s_low is 'Lower end of its 95 % interval.';
comment on column practices_choice.load_s_high is 'Upper end of its 95 % interval.';
comment on column practices_choice.interval_kind is 'between runs: its interval holds what runs of this machine differ by; within this run: no configuration has two runs yet, and it does not.';
comment on column practices_choice.runs_a_side is 'Runs behind the ratio, of the side with fewer.';
