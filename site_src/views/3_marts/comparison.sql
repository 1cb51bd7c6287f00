-- What somebody asked to see side by side (`collect compare`, and each new run beside the one before and its partner).
create or replace view comparison as
with
sides as (
    select
        set_id, any_value(kind) as kind, any_value(configurations) as about, count(*) as run_count,
        string_agg(distinct version, ' and ' order by version) as version,
        max(runs.run_started_at) as latest_run_at
    from run_sets
    inner join configurations using (configuration_id)
    inner join runs using (run_id)
    group by set_id
),
memories as (
    -- of one kind, as in configuration_memory
    select set_id, max(peak_memory_gb) as peak_memory_gb
    from run_sets
    inner join run_memory using (run_id)
    where peak_memory_gb is not null
    group by set_id, peak_memory_kind
    qualify row_number() over (
        partition by set_id order by peak_memory_kind = 'system, above baseline' desc, count(*) desc, peak_memory_kind
    ) = 1
),
speeds as (
    select set_id, decode_tps, ttft_ms, prefill_tps, peak_memory_gb, load_s, coalesce(decode_count, 0) as request_count
    from (select distinct set_id from run_sets) as sets
    left join set_speeds using (set_id)
    left join memories using (set_id)
    left join (select set_id, load_s from set_load where is_shown) as loads using (set_id)
)
select
    ratios.kind,
    ratios.a_id, ratios.b_id,
    a.about.label as a_label, b.about.label as b_label,
    a.version as a_version, b.version as b_version,
    a.latest_run_at as a_latest_run_at, b.latest_run_at as b_latest_run_at,
    a.run_count as a_run_count, b.run_count as b_run_count,
    a_speeds.decode_tps as a_decode_tps, b_speeds.decode_tps as b_decode_tps,
    a_speeds.ttft_ms as a_ttft_ms, b_speeds.ttft_ms as b_ttft_ms,
    a_speeds.prefill_tps as a_prefill_tps, b_speeds.prefill_tps as b_prefill_tps,
    a_speeds.peak_memory_gb as a_peak_memory_gb, b_speeds.peak_memory_gb as b_peak_memory_gb,
    a_speeds.load_s as a_load_s, b_speeds.load_s as b_load_s,
    a_speeds.request_count as a_request_count, b_speeds.request_count as b_request_count,
    ratios.* exclude (kind, a_id, b_id)
from pair_ratios as ratios
inner join sides as a on a.set_id = ratios.a_id
inner join sides as b on b.set_id = ratios.b_id
inner join speeds as a_speeds on a_speeds.set_id = ratios.a_id
inner join speeds as b_speeds on b_speeds.set_id = ratios.b_id
where ratios.kind in ('asked', 'run')
order by ratios.kind, a.latest_run_at desc, ratios.a_id, ratios.b_id;

comment on view comparison is 'One row per two runs or configurations that somebody named, and per run that has one before it: side by side, a over b.';
comment on column comparison.kind is 'asked: two that somebody named; run: a run (a) and the one before it of the same configuration (b).';
comment on column comparison.a_id is 'Set a: a run or a configuration.';
comment on column comparison.b_id is 'Set b.';
comment on column comparison.a_label is 'Model, quantization, engine of a.';
comment on column comparison.b_label is 'Model, quantization, engine of b.';
comment on column comparison.a_version is 'Server, engine and operating system of a, with versions.';
comment on column comparison.b_version is 'The same of b.';
comment on column comparison.a_latest_run_at is 'When the latest run of a began, UTC.';
comment on column comparison.b_latest_run_at is 'The same of b.';
comment on column comparison.a_run_count is 'Runs in a.';
comment on column comparison.b_run_count is 'Runs in b.';
comment on column comparison.a_decode_tps is 'Decode speed of a, tokens/s.';
comment on column comparison.b_decode_tps is 'Decode speed of b, tokens/s.';
comment on column comparison.a_ttft_ms is 'Time to first token of a, ms.';
comment on column comparison.b_ttft_ms is 'Time to first token of b, ms.';
comment on column comparison.a_prefill_tps is 'Prefill speed of a, tokens/s.';
comment on column comparison.b_prefill_tps is 'Prefill speed of b, tokens/s.';
comment on column comparison.a_peak_memory_gb is 'Peak memory of a, GB.';
comment on column comparison.b_peak_memory_gb is 'Peak memory of b, GB.';
comment on column comparison.a_load_s is 'Load time of a, seconds.';
comment on column comparison.b_load_s is 'Load time of b, seconds.';
comment on column comparison.a_request_count is 'Requests of a with a decode speed.';
comment on column comparison.b_request_count is 'Requests of b with a decode speed.';
comment on column comparison.prompt_count is 'Prompts with a decode speed on both sides.';
comment on column comparison.request_count is 'Requests of both sides behind the comparison.';
comment on column comparison.decode_tps_ratio is 'Decode speed, a over b: geometric mean over the prompts both have, paired by prompt and repeat.';
comment on column comparison.decode_tps_ratio_low is 'Lower end of its 95 % interval, from prompts and from runs of both sides.';
comment on column comparison.decode_tps_ratio_high is 'Upper end of its 95 % interval.';
comment on column comparison.verdict is 'a faster or b faster (by more than 3 %), equivalent (within 3 %), small difference, inconclusive, one run a side, or not comparable.';
comment on column comparison.ttft_ms_ratio is 'Time to first token, a over b.';
comment on column comparison.ttft_ms_ratio_low is 'Lower end of its 95 % interval.';
comment on column comparison.ttft_ms_ratio_high is 'Upper end of its 95 % interval.';
comment on column comparison.ttft_verdict is 'a later or b later (by more than 3 %), equivalent, small difference, inconclusive, one run a side, or not comparable.';
comment on column comparison.peak_memory_ratio is 'Peak memory, a over b: geometric means over runs.';
comment on column comparison.peak_memory_ratio_low is 'Lower end of its 95 % interval.';
comment on column comparison.peak_memory_ratio_high is 'Upper end of its 95 % interval.';
comment on column comparison.memory_verdict is 'a larger or b larger (by more than 3 %), equivalent, small difference, inconclusive, one run a side, or not comparable.';
comment on column comparison.memory_reason is 'Why that is not sure.';
comment on column comparison.load_s_ratio is 'Load time, a over b: geometric means over loads of one kind.';
comment on column comparison.load_s_ratio_low is 'Lower end of its 95 % interval.';
comment on column comparison.load_s_ratio_high is 'Upper end of its 95 % interval.';
comment on column comparison.load_verdict is 'a slower or b slower (by more than 3 %), equivalent, small difference, inconclusive, one run a side, or not comparable.';
comment on column comparison.load_reason is 'Why that is not sure.';
comment on column comparison.detectable_difference is 'Smallest relative difference that would be found with a power of 80 % at the spread seen.';
comment on column comparison.reason is 'Why it is not comparable, or what is doubtful.';
comment on column comparison.obstacle is 'Why the two must not be compared; NULL where they may.';
comment on column comparison.runs_a_side is 'Runs behind the speed, of the side with fewer.';
comment on column comparison.interval_kind is 'between runs: the interval holds what runs of this machine differ by; within this run: no configuration has two runs yet, and it does not.';
comment on column comparison.ttft_prompt_count is 'Prompts with a TTFT on both sides.';
comment on column comparison.ttft_request_count is 'Requests of both sides behind the TTFT.';
comment on column comparison.peak_memory_difference_gb is 'Peak memory, a less b, geometric means over runs, GB.';
comment on column comparison.memory_run_count is 'Runs behind it on the side with fewer.';
comment on column comparison.load_kind is 'warm: both files were probably cached; cold: neither.';
comment on column comparison.load_difference_s is 'Load time, a less b, geometric means over loads, seconds.';
comment on column comparison.load_run_count is 'Loads behind it on the side with fewer.';
