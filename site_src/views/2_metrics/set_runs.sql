-- A run's headline within a set: geometric mean over the set's prompts of per-prompt medians.
create or replace view set_runs as
select
    set_id, figure, run_id,
    avg(center) as center,
    sum(error_variance) / pow(nullif(count(error_variance), 0), 2) as error_variance,
    sum(degrees)::bigint as degrees,
    avg(count_error) as count_error,
    count(*) as prompt_count,
    sum(value_count)::bigint as value_count
from set_cells
inner join prompt_figures using (figure, run_id, prompt_sha256)
group by set_id, figure, run_id;

comment on view set_runs is 'One row per set of runs, figure and run that counts for it.';
comment on column set_runs.set_id is 'The set, as in run_sets.';
comment on column set_runs.figure is 'decode, ttft, prefill, decode energy or prefill energy.';
comment on column set_runs.run_id is 'The run.';
comment on column set_runs.center is 'ln of the run''s headline over the set''s prompts.';
comment on column set_runs.error_variance is 'Its squared standard error within the run, from repeats; NULL for one repeat of each prompt.';
comment on column set_runs.degrees is 'Degrees of freedom of that.';
comment on column set_runs.count_error is 'By how much it may be off because several tokens came in a chunk: half-width; the same in each run, so that runs do not lessen it.';
comment on column set_runs.prompt_count is 'Prompts behind it.';
comment on column set_runs.value_count is 'Requests behind it.';
