-- Any two configurations of a machine. What forbids a comparison leaves both sides' own figures standing, without a ratio.
create or replace view compare_pairs as
with
sides as (
    select
        run_summary.* exclude (label, reason),
        configuration_name as label,
        coalesce(quality.gate, 'unproven') as quality_gate,
        quality.passed_count, coalesce(quality.checked_count, 0) as checked_count,
        row_number() over (partition by machine order by latest_run_at desc, configuration_id) as place
    from run_summary
    inner join configuration_names using (configuration_id)
    left join configuration_quality as quality using (configuration_id)
)
select
    a.machine,
    greatest(a.place, b.place) as pair_place,
    ratios.kind,
    a.configuration_id as a_configuration_id, b.configuration_id as b_configuration_id,
    a.label as a_label, b.label as b_label,
    a.run_count as a_run_count, b.run_count as b_run_count,
    a.decode_run_count as a_decode_run_count, b.decode_run_count as b_decode_run_count,
    a.interval_kind as a_interval_kind, b.interval_kind as b_interval_kind,
    a.decode_tps as a_decode_tps, a.decode_tps_low as a_decode_tps_low, a.decode_tps_high as a_decode_tps_high,
    b.decode_tps as b_decode_tps, b.decode_tps_low as b_decode_tps_low, b.decode_tps_high as b_decode_tps_high,
    a.decode_count as a_decode_count, b.decode_count as b_decode_count,
    a.ttft_ms as a_ttft_ms, a.ttft_ms_low as a_ttft_ms_low, a.ttft_ms_high as a_ttft_ms_high,
    b.ttft_ms as b_ttft_ms, b.ttft_ms_low as b_ttft_ms_low, b.ttft_ms_high as b_ttft_ms_high,
    a.ttft_count as a_ttft_count, b.ttft_count as b_ttft_count,
    a.peak_memory_gb as a_peak_memory_gb, b.peak_memory_gb as b_peak_memory_gb,
    a.peak_memory_kind as a_peak_memory_kind, b.peak_memory_kind as b_peak_memory_kind,
    a.peak_memory_count as a_peak_memory_count, b.peak_memory_count as b_peak_memory_count,
    a.load_s as a_load_s, b.load_s as b_load_s, a.load_count as a_load_count, b.load_count as b_load_count,
    a.quality_gate as a_quality_gate, b.quality_gate as b_quality_gate,
    a.passed_count as a_passed_count, b.passed_count as b_passed_count,
    a.checked_count as a_checked_count, b.checked_count as b_checked_count,
    ratios.* exclude (kind, a_id, b_id, verdict, ttft_verdict, memory_verdict, load_verdict),
    sided(ratios.verdict, 'first', 'second') as verdict,
    sided(ratios.ttft_verdict, 'first', 'second') as ttft_verdict,
    sided(ratios.memory_verdict, 'first', 'second') as memory_verdict,
    sided(ratios.load_verdict, 'first', 'second') as load_verdict
from pair_ratios as ratios
inner join sides as a on a.configuration_id = ratios.a_id
inner join sides as b on b.configuration_id = ratios.b_id
where ratios.kind in ('framework', 'quantization', 'model', 'choice')
order by a.machine, pair_place, a_label, b_label, ratios.a_id, ratios.b_id;

comment on view compare_pairs is 'One row per two configurations of one machine: both sides'' figures, and ratios of the first over the second.';
comment on column compare_pairs.machine is 'Chip, GPU cores, memory of both.';
comment on column compare_pairs.pair_place is 'Place of the older one among the configurations of the machine, the one measured last is 1.';
comment on column compare_pairs.kind is 'framework: MLX (first) and llama.cpp (second) at one bit width; quantization: fewer bits (first) and more (second); model: two models at one runtime and bit width; choice: any other two.';
comment on column compare_pairs.a_configuration_id is 'The first configuration.';
comment on column compare_pairs.b_configuration_id is 'The second configuration.';
comment on column compare_pairs.a_label is 'Model, quantization, engine of the first; with suite, context and server where several share these.';
comment on column compare_pairs.b_label is 'The same of the second.';
comment on column compare_pairs.a_run_count is 'Runs of the first.';
comment on column compare_pairs.b_run_count is 'Runs of the second.';
comment on column compare_pairs.a_decode_tps is 'Decode speed of the first, tokens/s.';
comment on column compare_pairs.a_decode_tps_low is 'Lower end of its 95 % interval.';
comment on column compare_pairs.a_decode_tps_high is 'Upper end of its 95 % interval.';
comment on column compare_pairs.b_decode_tps is 'Decode speed of the second, tokens/s.';
comment on column compare_pairs.b_decode_tps_low is 'Lower end of its 95 % interval.';
comment on column compare_pairs.b_decode_tps_high is 'Upper end of its 95 % interval.';
comment on column compare_pairs.a_decode_count is 'Requests behind the decode speed of the first.';
comment on column compare_pairs.b_decode_count is 'Requests behind the decode speed of the second.';
comment on column compare_pairs.a_ttft_ms is 'Time to first token of the first, ms.';
comment on column compare_pairs.a_ttft_ms_low is 'Lower end of its 95 % interval.';
comment on column compare_pairs.a_ttft_ms_high is 'Upper end of its 95 % interval.';
comment on column compare_pairs.b_ttft_ms is 'Time to first token of the second, ms.';
comment on column compare_pairs.b_ttft_ms_low is 'Lower end of its 95 % interval.';
comment on column compare_pairs.b_ttft_ms_high is 'Upper end of its 95 % interval.';
comment on column compare_pairs.a_ttft_count is 'Requests behind the TTFT of the first.';
comment on column compare_pairs.b_ttft_count is 'Requests behind the TTFT of the second.';
comment on column compare_pairs.a_peak_memory_gb is 'Highest peak memory of the first over its runs, GB.';
comment on column compare_pairs.b_peak_memory_gb is 'Highest peak memory of the second over its runs, GB.';
comment on column compare_pairs.a_peak_memory_kind is 'What that figure of the first holds.';
comment on column compare_pairs.b_peak_memory_kind is 'What that figure of the second holds.';
comment on column compare_pairs.a_peak_memory_count is 'Runs of the first with a peak of that kind.';
comment on column compare_pairs.b_peak_memory_count is 'Runs of the second with a peak of that kind.';
comment on column compare_pairs.a_load_s is 'Median load time of the first, seconds.';
comment on column compare_pairs.b_load_s is 'Median load time of the second, seconds.';
comment on column compare_pairs.a_load_count is 'Loads of the first.';
comment on column compare_pairs.b_load_count is 'Loads of the second.';
comment on column compare_pairs.a_quality_gate is 'Quality of the first: pass, warn, fail or unproven.';
comment on column compare_pairs.b_quality_gate is 'Quality of the second.';
comment on column compare_pairs.a_passed_count is 'Prompts whose answers passed their checks, first.';
comment on column compare_pairs.b_passed_count is 'Prompts whose answers passed their checks, second.';
comment on column compare_pairs.a_checked_count is 'Prompts with a judged answer, first.';
comment on column compare_pairs.b_checked_count is 'Prompts with a judged answer, second.';
comment on column compare_pairs.prompt_count is 'Prompts with a decode speed on both sides.';
comment on column compare_pairs.request_count is 'Requests of both sides behind the comparison.';
comment on column compare_pairs.decode_tps_ratio is 'Decode speed, first over second: geometric mean over the prompts both have, paired by prompt and repeat.';
comment on column compare_pairs.decode_tps_ratio_low is 'Lower end of its 95 % interval, from prompts and from runs of both sides.';
comment on column compare_pairs.decode_tps_ratio_high is 'Upper end of its 95 % interval.';
comment on column compare_pairs.ttft_ms_ratio is 'Time to first token, first over second; below 1 the first is sooner.';
comment on column compare_pairs.ttft_ms_ratio_low is 'Lower end of its 95 % interval.';
comment on column compare_pairs.ttft_ms_ratio_high is 'Upper end of its 95 % interval.';
comment on column compare_pairs.peak_memory_ratio is 'Peak memory, first over second: geometric means over runs.';
comment on column compare_pairs.peak_memory_ratio_low is 'Lower end of its 95 % interval.';
comment on column compare_pairs.peak_memory_ratio_high is 'Upper end of its 95 % interval.';
comment on column compare_pairs.memory_reason is 'Why memory is not compared, or not surely.';
comment on column compare_pairs.load_s_ratio is 'Load time, first over second: geometric means over loads of one kind.';
comment on column compare_pairs.load_s_ratio_low is 'Lower end of its 95 % interval.';
comment on column compare_pairs.load_s_ratio_high is 'Upper end of its 95 % interval.';
comment on column compare_pairs.load_reason is 'Why load time is not compared, or not surely.';
comment on column compare_pairs.detectable_difference is 'Smallest relative difference in decode speed that would be found with a power of 80 % at the spread seen.';
comment on column compare_pairs.reason is 'Why it is not comparable, or what is doubtful.';
comment on column compare_pairs.verdict is 'first faster or second faster (by more than 3 %), equivalent (within 3 %), small difference, inconclusive, one run a side, or not comparable.';
comment on column compare_pairs.ttft_verdict is 'first later or second later (by more than 3 %), equivalent, small difference, inconclusive, one run a side, or not comparable.';
comment on column compare_pairs.memory_verdict is 'first larger or second larger (by more than 3 %), equivalent, small difference, inconclusive, one run a side, or not comparable.';
comment on column compare_pairs.load_verdict is 'first slower or second slower (by more than 3 %), equivalent, small difference, inconclusive, one run a side, or not comparable.';
comment on column compare_pairs.obstacle is 'Why the two must not be compared; NULL where they may.';
comment on column compare_pairs.runs_a_side is 'Runs behind the speed, of the side with fewer.';
comment on column compare_pairs.interval_kind is 'between runs: the interval holds what runs of this machine differ by; within this run: no configuration has two runs yet, and it does not.';
comment on column compare_pairs.ttft_prompt_count is 'Prompts with a TTFT on both sides.';
comment on column compare_pairs.ttft_request_count is 'Requests of both sides behind the TTFT.';
comment on column compare_pairs.peak_memory_difference_gb is 'Peak memory, a less b, geometric means over runs, GB.';
comment on column compare_pairs.memory_run_count is 'Runs behind it on the side with fewer.';
comment on column compare_pairs.load_kind is 'warm: both files were probably cached; cold: neither.';
comment on column compare_pairs.load_difference_s is 'Load time, a less b, geometric means over loads, seconds.';
comment on column compare_pairs.load_run_count is 'Loads behind it on the side with fewer.';
comment on column compare_pairs.a_decode_run_count is 'Runs behind the decode speed of the first.';
comment on column compare_pairs.b_decode_run_count is 'Runs behind the decode speed of the second.';
comment on column compare_pairs.a_interval_kind is 'between runs: its interval holds what runs of this machine differ by; within this run: no configuration has two runs yet, and it does not.';
comment on column compare_pairs.b_interval_kind is 'between runs: its interval holds what runs of this machine differ by; within this run: no configuration has two runs yet, and it does not.';
