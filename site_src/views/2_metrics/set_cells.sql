-- Which prompts of which runs stand for a set: the largest complete table of runs and prompts, since means over different
-- prompts are no measure of the same thing. Prompts that most runs have come first; of a prompt more and a run more that
-- leaves more cells counts, at equal cells more runs. What an interrupted run lacks says nothing of the others.
create or replace view set_cells as
with
cells as (
    select set_id, figure, run_id, prompt_sha256, run_state is not distinct from 'interrupted' as is_interrupted
    from (select set_id, run_id from run_sets where kind != 'run') as sets
    inner join (select run_id, run_state from run_versions) as states using (run_id)
    inner join prompt_figures using (run_id)
),
voting as (
    select *, not is_interrupted or bool_and(is_interrupted) over (partition by set_id, figure) as is_voting from cells
),
prompts as (
    select
        set_id, figure, prompt_sha256,
        row_number() over (partition by set_id, figure order by count(*) filter (is_voting) desc, prompt_sha256) as place
    from voting
    group by set_id, figure, prompt_sha256
),
placed as (
    select
        voting.*, place,
        row_number() over (partition by set_id, figure, run_id order by place) as own_place
    from voting
    inner join prompts using (set_id, figure, prompt_sha256)
),
-- how many of the first prompts a run has without a gap
reaching as (
    select set_id, figure, run_id, any_value(is_voting) as is_voting, count(*) filter (own_place = place) as reach
    from placed
    group by set_id, figure, run_id
),
blocks as (
    select set_id, figure, reach as block_size
    from (
        select set_id, figure, reach, sum(count(*)) over (partition by set_id, figure order by reach desc) as run_count
        from reaching
        where is_voting and reach > 0
        group by set_id, figure, reach
    )
    qualify row_number() over (partition by set_id, figure order by reach * run_count desc, run_count desc) = 1
)
select set_id, figure, run_id, prompt_sha256
from placed
inner join blocks using (set_id, figure)
inner join (select set_id, figure, run_id, reach from reaching) as own using (set_id, figure, run_id)
where place <= block_size and reach >= block_size
union all
select run_id, figure, run_id, prompt_sha256
from prompt_figures;

comment on view set_cells is 'One row per set of runs, figure, run and prompt that count for it.';
comment on column set_cells.set_id is 'The set, as in run_sets.';
comment on column set_cells.figure is 'decode, ttft, prefill, decode energy or prefill energy.';
comment on column set_cells.run_id is 'The run.';
comment on column set_cells.prompt_sha256 is 'Hash of the prompt.';
