-- Paired by prompt and repeat: the mean ln-ratio of a prompt, a over b, over the runs that stand for each side. Where
-- answers of the two differ in length by more than 20 %, they are other work: speed over the first 256 tokens counts.
create or replace view pair_prompts as
with
wanted as materialized (
    select distinct a_id, b_id from pairs where obstacle is null
),
requests as (
    select run_id, prompt_sha256, repeat, 'decode' as figure, decode_tps as value, decode_256_tps as early_value, completion_tokens
    from request_speed
    inner join (select run_id, op_index from request_flags where exclusion is null) as counted using (run_id, op_index)
    union all
    select run_id, prompt_sha256, repeat, 'ttft', ttft_ms, ttft_ms, completion_tokens
    from request_speed
    inner join (select run_id, op_index from request_flags where exclusion is null) as counted using (run_id, op_index)
),
cells as materialized (
    select
        set_id, figure, prompt_sha256, repeat,
        avg(ln(value)) as value,
        avg(ln(early_value)) as early_value,
        count(value) as value_count,
        count(early_value) as early_count,
        median(completion_tokens) as tokens
    from set_cells
    inner join requests using (run_id, prompt_sha256, figure)
    where set_id in (select a_id from wanted union select b_id from wanted)
    group by set_id, figure, prompt_sha256, repeat
),
lengths as (
    select set_id, figure, prompt_sha256, median(tokens) as tokens from cells group by set_id, figure, prompt_sha256
),
beside as (
    select
        a_id, b_id, a.figure, a.prompt_sha256,
        coalesce(a.figure = 'decode' and greatest(a.tokens / b.tokens, b.tokens / a.tokens) > 1.2, false) as is_early
    from wanted
    inner join lengths as a on a.set_id = a_id
    inner join lengths as b on b.set_id = b_id and b.figure = a.figure and b.prompt_sha256 = a.prompt_sha256
),
paired as (
    select
        beside.*,
        if(is_early, a.early_value - b.early_value, a.value - b.value) as ratio,
        if(is_early, a.early_count + b.early_count, a.value_count + b.value_count) as request_count
    from beside
    inner join cells as a on a.set_id = a_id and a.figure = beside.figure and a.prompt_sha256 = beside.prompt_sha256
    inner join cells as b
        on b.set_id = b_id and b.figure = beside.figure and b.prompt_sha256 = beside.prompt_sha256 and b.repeat = a.repeat
)
select
    a_id, b_id, figure, prompt_sha256, is_early,
    avg(ratio) as ratio,
    var_samp(ratio) as variance,
    coalesce(sum(request_count) filter (ratio is not null), 0)::bigint as request_count,
    count(ratio) as repeat_count
from paired
group by a_id, b_id, figure, prompt_sha256, is_early;

comment on view pair_prompts is 'One row per comparable pair, figure and prompt that both sides have: how much more a had.';
comment on column pair_prompts.a_id is 'Set a.';
comment on column pair_prompts.b_id is 'Set b.';
comment on column pair_prompts.figure is 'decode or ttft.';
comment on column pair_prompts.prompt_sha256 is 'Hash of the prompt.';
comment on column pair_prompts.is_early is 'Whether it is of the first 256 tokens alone, since answers differ in length by more than 20 %.';
comment on column pair_prompts.ratio is 'Mean over repeats of ln(figure of a / of b); NULL where these first tokens were not timed.';
comment on column pair_prompts.variance is 'Its variance over repeats.';
comment on column pair_prompts.request_count is 'Requests of both sides behind it, each with its partner.';
comment on column pair_prompts.repeat_count is 'Repeats that both sides have.';
