create or replace view framework_steadiness as
select machine, pair, runtime, model, bits, quantization, cv, cv_low, cv_high, grade, cv_request_count, run_count, verdict
from framework_sides
where cv is not null
order by machine, model, bits, pair, runtime != 'mlx', quantization;

comment on view framework_steadiness is 'One row per side of each pair whose prompts have two valid repeats, for the chart.';
comment on column framework_steadiness.machine is 'Chip, GPU cores, memory.';
comment on column framework_steadiness.pair is 'Which pair: model and both quantizations.';
comment on column framework_steadiness.runtime is 'Engine of this side.';
comment on column framework_steadiness.model is 'The model.';
comment on column framework_steadiness.bits is 'Nominal bits per weight on both sides.';
comment on column framework_steadiness.quantization is 'Quantization of this side.';
comment on column framework_steadiness.cv is 'Coefficient of variation of decode speed over the repeats of a prompt.';
comment on column framework_steadiness.cv_low is 'Lower end of its 95 % interval.';
comment on column framework_steadiness.cv_high is 'Upper end of its 95 % interval.';
comment on column framework_steadiness.grade is 'stable: CV up to 2 %; acceptable: up to 5 %; unstable: above.';
comment on column framework_steadiness.cv_request_count is 'Requests behind it.';
comment on column framework_steadiness.run_count is 'Runs of this side.';
comment on column framework_steadiness.verdict is 'Decode speed of the pair: whether it is comparable, and who is faster.';
