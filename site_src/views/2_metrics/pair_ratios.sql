create or replace view pair_ratios as
select
    pairs.kind, pairs.a_id, pairs.b_id, pairs.obstacle,
    coalesce(pair_speed.prompt_count, 0) as prompt_count,
    coalesce(pair_speed.request_count, 0) as request_count,
    coalesce(pair_speed.run_count, 0) as runs_a_side,
    exp(pair_speed.decode) as decode_tps_ratio,
    exp(pair_speed.decode - pair_speed.decode_margin) as decode_tps_ratio_low,
    exp(pair_speed.decode + pair_speed.decode_margin) as decode_tps_ratio_high,
    pair_speed.interval_kind,
    coalesce(pair_speed.verdict, 'not comparable') as verdict,
    coalesce(pair_speed.ttft_prompt_count, 0) as ttft_prompt_count,
    coalesce(pair_speed.ttft_request_count, 0) as ttft_request_count,
    exp(pair_speed.ttft) as ttft_ms_ratio,
    exp(pair_speed.ttft - pair_speed.ttft_margin) as ttft_ms_ratio_low,
    exp(pair_speed.ttft + pair_speed.ttft_margin) as ttft_ms_ratio_high,
    coalesce(pair_speed.ttft_verdict, 'not comparable') as ttft_verdict,
    pair_memory.memory_difference_gb as peak_memory_difference_gb,
    exp(pair_memory.memory) as peak_memory_ratio,
    exp(pair_memory.memory - pair_memory.memory_margin) as peak_memory_ratio_low,
    exp(pair_memory.memory + pair_memory.memory_margin) as peak_memory_ratio_high,
    pair_memory.memory_verdict,
    coalesce(pair_memory.memory_run_count, 0) as memory_run_count,
    pair_memory.memory_reason,
    pair_memory.load_kind,
    pair_memory.load_difference_s,
    exp(pair_memory.load) as load_s_ratio,
    exp(pair_memory.load - pair_memory.load_margin) as load_s_ratio_low,
    exp(pair_memory.load + pair_memory.load_margin) as load_s_ratio_high,
    pair_memory.load_verdict,
    coalesce(pair_memory.load_run_count, 0) as load_run_count,
    pair_memory.load_reason,
    pair_speed.detectable as detectable_difference,
    nullif(concat_ws(
        '; ',
        pairs.obstacle,
        if(pairs.obstacle is null and pair_speed.verdict is null, 'no prompt with a decode speed on both sides', null),
        pair_speed.reason,
        pairs.caveat
    ), '') as reason
from pairs
left join pair_speed on pair_speed.a_id = pairs.a_id and pair_speed.b_id = pairs.b_id
left join pair_memory on pair_memory.a_id = pairs.a_id and pair_memory.b_id = pairs.b_id;

comment on view pair_ratios is 'One row per two sets of runs that are worth comparing: every ratio of a over b, with interval and verdict.';
comment on column pair_ratios.kind is 'Why the two are compared, as in pairs.';
comment on column pair_ratios.a_id is 'Set a.';
comment on column pair_ratios.b_id is 'Set b.';
comment on column pair_ratios.prompt_count is 'Prompts with a decode speed on both sides.';
comment on column pair_ratios.request_count is 'Requests of both sides behind the comparison.';
comment on column pair_ratios.decode_tps_ratio is 'Decode speed, a over b: geometric mean over the prompts both have, paired by prompt and repeat.';
comment on column pair_ratios.decode_tps_ratio_low is 'Lower end of its 95 % interval, from prompts and from runs of both sides.';
comment on column pair_ratios.decode_tps_ratio_high is 'Upper end of its 95 % interval.';
comment on column pair_ratios.verdict is 'a faster or b faster (by more than 3 %), equivalent (within 3 %), small difference, inconclusive, one run a side, or not comparable.';
comment on column pair_ratios.ttft_ms_ratio is 'Time to first token, a over b.';
comment on column pair_ratios.ttft_ms_ratio_low is 'Lower end of its 95 % interval.';
comment on column pair_ratios.ttft_ms_ratio_high is 'Upper end of its 95 % interval.';
comment on column pair_ratios.ttft_verdict is 'a later or b later (by more than 3 %), equivalent, small difference, inconclusive, one run a side, or not comparable.';
comment on column pair_ratios.peak_memory_ratio is 'Peak memory, a over b: geometric means over runs.';
comment on column pair_ratios.peak_memory_ratio_low is 'Lower end of its 95 % interval.';
comment on column pair_ratios.peak_memory_ratio_high is 'Upper end of its 95 % interval.';
comment on column pair_ratios.memory_verdict is 'a larger or b larger (by more than 3 %), equivalent, small difference, inconclusive, one run a side, or not comparable.';
comment on column pair_ratios.memory_reason is 'Why that is not sure.';
comment on column pair_ratios.load_s_ratio is 'Load time, a over b: geometric means over loads of one kind.';
comment on column pair_ratios.load_s_ratio_low is 'Lower end of its 95 % interval.';
comment on column pair_ratios.load_s_ratio_high is 'Upper end of its 95 % interval.';
comment on column pair_ratios.load_verdict is 'a slower or b slower (by more than 3 %), equivalent, small difference, inconclusive, one run a side, or not comparable.';
comment on column pair_ratios.load_reason is 'Why that is not sure.';
comment on column pair_ratios.detectable_difference is 'Smallest relative difference that would be found with a power of 80 % at the spread seen.';
comment on column pair_ratios.reason is 'Why it is not comparable, or what is doubtful.';
comment on column pair_ratios.obstacle is 'Why the two must not be compared; NULL where they may.';
comment on column pair_ratios.runs_a_side is 'Runs behind the speed, of the side with fewer.';
comment on column pair_ratios.interval_kind is 'between runs: the interval holds what runs of this machine differ by; within this run: no configuration has two runs yet, and it does not.';
comment on column pair_ratios.ttft_prompt_count is 'Prompts with a TTFT on both sides.';
comment on column pair_ratios.ttft_request_count is 'Requests of both sides behind the TTFT.';
comment on column pair_ratios.peak_memory_difference_gb is 'Peak memory, a less b, geometric means over runs, GB.';
comment on column pair_ratios.memory_run_count is 'Runs behind it on the side with fewer.';
comment on column pair_ratios.load_kind is 'warm: both files were probably cached; cold: neither.';
comment on column pair_ratios.load_difference_s is 'Load time, a less b, geometric means over loads, seconds.';
comment on column pair_ratios.load_run_count is 'Loads behind it on the side with fewer.';
