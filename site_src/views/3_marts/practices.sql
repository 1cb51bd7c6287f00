-- The numbers behind the advice of a page; its words stand there. A practice without a row in either view is not measured.
create or replace view practices as
with
asked(place, practice, command) as (
    values
        (1, 'model', 'collect plan --run'),
        (2, 'proven', 'collect --quality'),
        (3, 'long', 'collect context'),
        (4, 'quantization', 'collect --quality'),
        (5, 'runtime', 'collect plan --run'),
        (6, 'headroom', 'collect --reload'),
        (7, 'wired', 'collect'),
        (8, 'context', 'collect --load KEY --context-length 131072'),
        (9, 'slots', 'collect'),
        (10, 'seed', 'collect'),
        (11, 'cache', 'collect'),
        (12, 'load', 'collect --reload'),
        (13, 'awake', 'collect'),
        (14, 'heat', 'collect'),
        (15, 'pressure', 'collect'),
        (16, 'downloads', 'collect plan --run')
),
seen as (
    select * from practices_choice
    union all by name
    select * from practices_setup
)
select
    machines.machine, asked.place, asked.practice,
    coalesce(seen.verdict, 'not measured') as verdict,
    seen.label,
    decode_tps, decode_tps_low, decode_tps_high,
    decode_tps_ratio, decode_tps_ratio_low, decode_tps_ratio_high, interval_kind, runs_a_side,
    seen.memory_gb, seen.budget_gb, seen.file_gb,
    load_s, load_s_low, load_s_high,
    warm_ratio, warm_ratio_low, warm_ratio_high,
    coalesce(affected_count, 0) as affected_count,
    coalesce(case_count, 0) as case_count,
    coalesce(seen.request_count, 0) as request_count,
    coalesce(seen.run_count, 0) as run_count,
    seen.confidence, seen.evidence,
    if(seen.verdict is null or not is_answer(seen.verdict) or seen.verdict = 'nothing measured fits', asked.command, null) as command
from asked
left join machines on true
left join seen
    on seen.machine = machines.machine and seen.practice = asked.practice and machines.contributor is null
order by machines.place, asked.place;

comment on view practices is 'One row per machine and advice, machine NULL before anything was measured: the numbers that back it, or what would measure them.';
comment on column practices.machine is 'Chip, GPU cores, memory; NULL before anything was measured.';
comment on column practices.place is 'Its place on the page, from 1.';
comment on column practices.practice is 'Which advice: model, proven, long, quantization, runtime, headroom, wired, context, slots, seed, cache, load, awake, heat, pressure, downloads.';
comment on column practices.verdict is 'What the results say: of a choice its verdict; of a setting whether runs were without it never, sometimes or always; not measured.';
comment on column practices.label is 'The configuration it is about, or the comparison.';
comment on column practices.decode_tps is 'Its decode speed, tokens/s.';
comment on column practices.decode_tps_low is 'Lower end of its 95 % interval.';
comment on column practices.decode_tps_high is 'Upper end of its 95 % interval.';
comment on column practices.decode_tps_ratio is 'Decode speed, MLX over llama.cpp, of the comparison with most requests.';
comment on column practices.decode_tps_ratio_low is 'Lower end of its 95 % interval.';
comment on column practices.decode_tps_ratio_high is 'Upper end of its 95 % interval.';
comment on column practices.memory_gb is 'Peak memory, GB; of the largest that fits; the wired limit where it was raised.';
comment on column practices.budget_gb is 'Memory that a machine should have for it, GB; of the wired limit the memory built in.';
comment on column practices.file_gb is 'Weights on disk that can be deleted, GB.';
comment on column practices.load_s is 'Load time of the slowest to load, s.';
comment on column practices.load_s_low is 'Lower end of its 95 % interval.';
comment on column practices.load_s_high is 'Upper end of its 95 % interval.';
comment on column practices.warm_ratio is 'TTFT of a prompt that was just sent over that of the measured one: geometric mean over runs.';
comment on column practices.warm_ratio_low is 'Lower end of its 95 % interval, over runs.';
comment on column practices.warm_ratio_high is 'Upper end of it.';
comment on column practices.affected_count is 'How many of them it is about: runs without the setting, candidates that do not fit, weights that can go, best values.';
comment on column practices.case_count is 'Of how many: rated candidates, quantizations, loads, prompts sent again.';
comment on column practices.request_count is 'Requests behind it.';
comment on column practices.run_count is 'Runs behind it.';
comment on column practices.confidence is 'high, medium or low, of a recommendation.';
comment on column practices.evidence is 'What it rests on, or lacks.';
comment on column practices.command is 'What would measure or settle it; NULL where that is done.';
comment on column practices.interval_kind is 'between runs: its interval holds what runs of this machine differ by; within this run: no configuration has two runs yet, and it does not.';
comment on column practices.runs_a_side is 'Runs behind the ratio, of the side with fewer.';
