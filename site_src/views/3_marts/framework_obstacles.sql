create or replace view framework_obstacles as
select
    machine, model, bits, pair,
    string_agg(figure, '; ' order by figure_place) as figures,
    count(*) as figure_count,
    reason
from framework_ratios
where ratio is null
group by machine, model, bits, pair, reason
order by machine, model, bits, pair, min(figure_place);

comment on view framework_obstacles is 'One row per pair of MLX and llama.cpp and reason why some of its figures have no ratio.';
comment on column framework_obstacles.machine is 'Chip, GPU cores, memory.';
comment on column framework_obstacles.model is 'The model.';
comment on column framework_obstacles.bits is 'Nominal bits per weight on both sides.';
comment on column framework_obstacles.pair is 'Which pair: model and both quantizations.';
comment on column framework_obstacles.figures is 'Which figures.';
comment on column framework_obstacles.figure_count is 'How many.';
comment on column framework_obstacles.reason is 'Why.';
