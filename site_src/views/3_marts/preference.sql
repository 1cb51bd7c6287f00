-- Votes of one voter on one prompt are no independent ones, which the sign test and Wilson's interval take them for: hence
-- the counts of prompts and voters beside them, and the bootstrap over both in preference_strength.
create or replace view preference as
with
counted as (
    select
        a_id, b_id,
        min(a_label) as a_label,
        min(b_label) as b_label,
        min(machine) as machine,
        count(*) as vote_count,
        count(*) filter (where choice = 'a') as a_wins,
        count(*) filter (where choice = 'b') as b_wins,
        count(*) filter (where choice = 'tie') as tie_count,
        count(*) filter (where choice = 'both bad') as both_bad_count,
        count(distinct prompt_sha256) as prompt_count,
        count(distinct voter) as voter_count
    from counted_votes
    group by a_id, b_id
),
tested as (
    select
        counted.*,
        sign_test(a_wins, b_wins) as sign_p,
        if(a_wins + b_wins > 0, a_wins / (a_wins + b_wins), null) as win_share,
        wilson_low(a_wins, a_wins + b_wins) as win_share_low,
        wilson_high(a_wins, a_wins + b_wins) as win_share_high
    from counted
)
select
    a_id, b_id, a_label, b_label, machine, vote_count, a_wins, b_wins, tie_count, both_bad_count, prompt_count,
    voter_count, sign_p, win_share, win_share_low, win_share_high,
    case
        when vote_count < 10 then 'not enough votes'
        when sign_p < 0.05 and a_wins > b_wins then 'a preferred'
        when sign_p < 0.05 then 'b preferred'
        else 'inconclusive'
    end as verdict,
    nullif(concat_ws(
        '; ',
        if(vote_count < 10, format('{} of 10 votes', vote_count), null),
        if(a_wins + b_wins = 0, 'nobody preferred one of them', null),
        if(prompt_count = 1 and vote_count > 1, 'all votes are on one prompt', null),
        if(voter_count = 1 and vote_count > 1, 'all votes are of one person', null),
        if(2 * both_bad_count > vote_count, 'most votes say that both are bad', null)
    ), '') as reason
from tested
order by a_label, b_label, machine, a_id, b_id;

comment on view preference is 'One row per two builds that people judged: which they preferred, without knowing which was which.';
comment on column preference.a_id is 'Build a.';
comment on column preference.b_id is 'Build b.';
comment on column preference.a_label is 'Model, quantization, engine of a.';
comment on column preference.b_label is 'Model, quantization, engine of b.';
comment on column preference.machine is 'Chip, GPU cores, memory of both.';
comment on column preference.vote_count is 'Votes whose two texts are stored.';
comment on column preference.a_wins is 'Of those, votes for a.';
comment on column preference.b_wins is 'Votes for b.';
comment on column preference.tie_count is 'Votes for a tie.';
comment on column preference.both_bad_count is 'Votes that both are bad.';
comment on column preference.prompt_count is 'Prompts they are on.';
comment on column preference.voter_count is 'People they are of.';
comment on column preference.sign_p is 'p of the exact two-sided sign test; ties and both bad are left out.';
comment on column preference.win_share is 'Share of a among the votes for one of them.';
comment on column preference.win_share_low is 'Lower end of its 95 % interval by Wilson.';
comment on column preference.win_share_high is 'Upper end of its 95 % interval by Wilson.';
comment on column preference.verdict is 'a preferred or b preferred: p below 0.05; inconclusive; below ten votes: not enough votes.';
comment on column preference.reason is 'What is missing or doubtful.';
