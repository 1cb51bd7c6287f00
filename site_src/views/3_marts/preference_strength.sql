-- Fitted by site_src/bradley_terry.py, for SQL does not; only builds that a chain of votes connects are compared.
create or replace view preference_strength as
with
sides as (
    select a_id as build_id, b_id as other_id, a_label as label, machine, prompt_sha256, voter from counted_votes
    union all
    select b_id, a_id, b_label, machine, prompt_sha256, voter from counted_votes
),
opponents as (
    select build_id, max(vote_count) as most_votes, count(*) as opponent_count
    from (select build_id, other_id, count(*) as vote_count from sides group by all)
    group by build_id
),
builds as (
    select
        build_id,
        min(label) as label,
        min(machine) as machine,
        count(*) as vote_count,
        count(distinct prompt_sha256) as prompt_count,
        count(distinct voter) as voter_count
    from sides
    group by build_id
)
select
    component_id, build_id, label, machine, strength, strength_low, strength_high,
    1 / (1 + exp(-strength)) as win_probability,
    vote_count, prompt_count, voter_count, vote_group_count, opponent_count,
    case
        when most_votes < 10 then 'not enough votes'
        when strength_low > 0 then 'above the mean'
        when strength_high < 0 then 'below the mean'
        else 'inconclusive'
    end as verdict,
    nullif(concat_ws(
        '; ',
        if(most_votes < 10, format('at most {} of 10 votes against one other build', most_votes), null),
        if(strength_low is null, 'no interval: its votes are of fewer than five prompts or people', null),
        if(prompt_count = 1 and vote_count > 1, 'all votes are on one prompt', null),
        if(voter_count = 1 and vote_count > 1, 'all votes are of one person', null)
    ), '') as reason
from raw_strengths
inner join builds using (build_id)
inner join opponents using (build_id)
order by component_id, strength desc, label, build_id;

comment on view preference_strength is 'One row per build that people judged: its Bradley–Terry strength among the builds that votes connect it with.';
comment on column preference_strength.component_id is 'Equal for builds that a chain of votes connects; others are not compared.';
comment on column preference_strength.build_id is 'The build.';
comment on column preference_strength.label is 'Model, quantization, engine.';
comment on column preference_strength.machine is 'Chip, GPU cores, memory.';
comment on column preference_strength.strength is 'Log odds of being preferred to a build of mean strength; the mean of its component is 0. Ties and both bad are half a win each.';
comment on column preference_strength.strength_low is 'Lower end of its 95 % interval: the wider one of a bootstrap over votes grouped by prompt and voter, and of the likelihood''s curvature.';
comment on column preference_strength.strength_high is 'Upper end of it.';
comment on column preference_strength.win_probability is 'Probability of being preferred to a build of mean strength.';
comment on column preference_strength.vote_count is 'Votes on this build.';
comment on column preference_strength.prompt_count is 'Prompts they are on.';
comment on column preference_strength.voter_count is 'People they are of.';
comment on column preference_strength.vote_group_count is 'Groups of votes that count as independent: one voter, one prompt.';
comment on column preference_strength.opponent_count is 'Builds it was compared with.';
comment on column preference_strength.verdict is 'above the mean or below the mean: the whole interval is; inconclusive; not enough votes: fewer than ten with each other build.';
comment on column preference_strength.reason is 'What is missing or doubtful.';
