create or replace view plan_matrix as
select
    machine, model, variant, kind, runtime, quantization, bits, state, decode_tps, decode_tps_low, decode_tps_high, request_count,
    run_count, latest_run_at, next_rank, reason,
    -- one order of variants for all models, so that a row of the picture holds the same variant of each
    row_number() over (
        partition by machine order by kind != 'speed', bits, runtime != 'mlx', lower(quantization), variant, model
    ) as matrix_place
from plan_coverage
order by machine, matrix_place;

comment on view plan_matrix is 'One row per cell of the plan and machine with LM Studio runs: its state, for the picture.';
comment on column plan_matrix.machine is 'Chip, GPU cores, memory; NULL where nothing is measured.';
comment on column plan_matrix.model is 'The model.';
comment on column plan_matrix.variant is 'What the plan calls the cell.';
comment on column plan_matrix.kind is 'speed: the standard suite; context: the ladder.';
comment on column plan_matrix.runtime is 'Engine.';
comment on column plan_matrix.quantization is 'As LM Studio names it.';
comment on column plan_matrix.bits is 'Nominal bits per weight.';
comment on column plan_matrix.state is 'measured; failed; pending; pending, with reference; running (by the plan''s word only); to find; unavailable.';
comment on column plan_matrix.decode_tps is 'Decode speed of a measured cell, tokens/s.';
comment on column plan_matrix.decode_tps_low is 'Lower end of its 95 % interval.';
comment on column plan_matrix.decode_tps_high is 'Upper end of its 95 % interval.';
comment on column plan_matrix.request_count is 'Requests behind it.';
comment on column plan_matrix.run_count is 'Runs that count.';
comment on column plan_matrix.latest_run_at is 'Beginning of its latest LM Studio run, UTC.';
comment on column plan_matrix.next_rank is 'When its turn comes, from 1.';
comment on column plan_matrix.reason is 'Why it failed or waits, and which runs do not count or are doubtful.';
comment on column plan_matrix.matrix_place is 'Its place in the picture, from 1.';
