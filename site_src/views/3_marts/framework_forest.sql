create or replace view framework_forest as
select machine, model, bits, pair, figure_place, figure, ratio, ratio_low, ratio_high, verdict, ahead, observation_count, observation_kind
from framework_ratios
where ratio is not null
order by machine, model, bits, pair, figure_place;

comment on view framework_forest is 'One row per pair and figure that may be compared, for the chart.';
comment on column framework_forest.machine is 'Chip, GPU cores, memory.';
comment on column framework_forest.model is 'The model.';
comment on column framework_forest.bits is 'Nominal bits per weight on both sides.';
comment on column framework_forest.pair is 'Which pair: model and both quantizations.';
comment on column framework_forest.figure_place is 'Order of the figures, from 1.';
comment on column framework_forest.figure is 'Which figure.';
comment on column framework_forest.ratio is 'MLX over llama.cpp.';
comment on column framework_forest.ratio_low is 'Lower end of its 95 % interval.';
comment on column framework_forest.ratio_high is 'Upper end of its 95 % interval.';
comment on column framework_forest.verdict is 'What it says, with a margin of 3 %.';
comment on column framework_forest.ahead is 'Which runtime is better by the verdict; level; undecided.';
comment on column framework_forest.observation_count is 'How many observations it rests on.';
comment on column framework_forest.observation_kind is 'What is counted.';
