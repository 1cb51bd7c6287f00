-- A vote counts if it is this repository's and the texts it names are stored, once for each voter and two texts. Of
-- several the first counts, for what was which is told afterwards. Sides are turned so that a is the pair's a.
create or replace view counted_votes as
with
turned as (
    select * exclude (file, contributor) from raw_votes where contributor is null
    union all by name
    select
        vote_id, voted_at, voter, prompt_sha256, nonce,
        b_run_id as a_run_id, b_op_index as a_op_index, b_sha256 as a_sha256,
        a_run_id as b_run_id, a_op_index as b_op_index, a_sha256 as b_sha256,
        case shown_first when 'a' then 'b' when 'b' then 'a' end as shown_first,
        case choice when 'a' then 'b' when 'b' then 'a' else choice end as choice
    from raw_votes
    where contributor is null
)
select
    vote_id, voted_at, voter, a_id, b_id, output_pairs.prompt_id, prompt_sha256, nonce, a_sha256, b_sha256,
    if(shown_first in ('a', 'b'), shown_first, null) as shown_first,
    choice,
    case choice when 'a' then 1.0::double when 'b' then 0.0::double else 0.5::double end as a_score,
    a_label, b_label, machine
from turned
inner join output_pairs
    using (prompt_sha256, nonce, a_run_id, a_op_index, a_sha256, b_run_id, b_op_index, b_sha256)
where choice in ('a', 'b', 'tie', 'both bad') and regexp_full_match(voter, '[0-9a-f]{12}')
qualify
    row_number() over (
        partition by voter, a_id, b_id, prompt_sha256, nonce, a_sha256, b_sha256
        order by voted_at, vote_id, choice, shown_first, a_label, b_label, output_pairs.prompt_id
    ) = 1;

comment on view counted_votes is 'One row per vote that counts: one voter''s choice of two stored texts.';
comment on column counted_votes.vote_id is 'The vote.';
comment on column counted_votes.voted_at is 'When, UTC, as its file says.';
comment on column counted_votes.voter is 'Random digits that stand for whoever voted.';
comment on column counted_votes.a_id is 'Build a.';
comment on column counted_votes.b_id is 'Build b.';
comment on column counted_votes.prompt_id is 'The prompt''s name in its suite.';
comment on column counted_votes.prompt_sha256 is 'Hash of text, material and token limit.';
comment on column counted_votes.nonce is 'Six digits that both requests began with.';
comment on column counted_votes.a_sha256 is 'Hash of the text of a.';
comment on column counted_votes.b_sha256 is 'Hash of the text of b.';
comment on column counted_votes.shown_first is 'Which of them stood first: a or b.';
comment on column counted_votes.choice is 'a, b, tie or both bad.';
comment on column counted_votes.a_score is 'What a gets of it: 1, 0, or ½ for a tie or both bad.';
comment on column counted_votes.a_label is 'Model, quantization, engine of a.';
comment on column counted_votes.b_label is 'Model, quantization, engine of b.';
comment on column counted_votes.machine is 'Chip, GPU cores, memory of both.';
