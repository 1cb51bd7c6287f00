-- First come pairs of builds below ten votes: of those the more important, then the fewest votes. Within a pair of builds
-- the prompts take turns, for many votes on one prompt say little.
create or replace view vote_choices as
with
texts as (  -- two runs of a build may hold the same answer
    select * from output_pairs
    qualify
        row_number() over (
            partition by a_id, b_id, prompt_sha256, nonce, a_sha256, b_sha256
            order by a_run_id, a_op_index, b_run_id, b_op_index
        ) = 1
),
of_builds as (select a_id, b_id, count(*) as vote_count from counted_votes group by all),
of_prompts as (select a_id, b_id, prompt_sha256, count(*) as prompt_vote_count from counted_votes group by all),
of_texts as (
    select a_id, b_id, prompt_sha256, nonce, a_sha256, b_sha256, list(voter order by voter) as voters
    from counted_votes
    group by all
)
select
    row_number() over (
        order by
            coalesce(vote_count, 0) >= 10, importance, coalesce(vote_count, 0), coalesce(prompt_vote_count, 0), a_id, b_id,
            prompt_id, prompt_sha256, nonce, a_sha256, b_sha256
    ) as place,
    texts.*,
    coalesce(vote_count, 0) as vote_count,
    coalesce(prompt_vote_count, 0) as prompt_vote_count,
    coalesce(voters, []) as voters
from texts
left join of_builds using (a_id, b_id)
left join of_prompts using (a_id, b_id, prompt_sha256)
left join of_texts using (a_id, b_id, prompt_sha256, nonce, a_sha256, b_sha256)
order by place;

comment on view vote_choices is 'One row per two answers that can be judged, the one whose vote is needed most first.';
comment on column vote_choices.place is 'From 1: where a vote is needed most.';
comment on column vote_choices.a_id is 'Build a.';
comment on column vote_choices.b_id is 'Build b.';
comment on column vote_choices.prompt_id is 'The prompt''s name in its suite.';
comment on column vote_choices.prompt_sha256 is 'Hash of text, material and token limit.';
comment on column vote_choices.nonce is 'Six digits that both requests began with.';
comment on column vote_choices.a_run_id is 'A run that holds the output of a.';
comment on column vote_choices.a_op_index is 'Its place there.';
comment on column vote_choices.a_sha256 is 'Hash of its text.';
comment on column vote_choices.b_run_id is 'A run that holds the output of b.';
comment on column vote_choices.b_op_index is 'Its place there.';
comment on column vote_choices.b_sha256 is 'Hash of its text.';
comment on column vote_choices.a_label is 'Model, quantization, engine of a.';
comment on column vote_choices.b_label is 'Model, quantization, engine of b.';
comment on column vote_choices.machine is 'Chip, GPU cores, memory of both.';
comment on column vote_choices.importance is 'From 1: as in output_pairs.';
comment on column vote_choices.vote_count is 'Votes on these two builds.';
comment on column vote_choices.prompt_vote_count is 'Votes on these two builds and this prompt.';
comment on column vote_choices.voters is 'Who has judged these two answers.';
