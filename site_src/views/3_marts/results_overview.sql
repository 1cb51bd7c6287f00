-- Files that cannot be trusted are of no machine: their number is the same in each row.
create or replace view results_overview as
with
measured as (
    select
        machine,
        count(*) as run_count,
        sum(request_count)::bigint as request_count,
        sum(failed_count)::bigint as failed_count,
        count(distinct model) as model_count,
        max(run_started_at) as latest_run_at
    from runs
    group by machine
),
configured as (
    select
        machine,
        count(decode_tps) as configuration_count,
        count(decode_tps) filter (runtime = 'mlx') as mlx_count,
        count(decode_tps) filter (runtime = 'llama.cpp') as llama_cpp_count,
        count(*) filter (decode_tps is null) as without_speed_count
    from run_summary
    group by machine
),
fastest as (
    select machine, label, decode_tps, decode_tps_low, decode_tps_high, interval_kind, decode_run_count, decode_count
    from run_summary
    where decode_tps is not null
    qualify row_number() over (partition by machine order by decode_tps desc, configuration_id) = 1
),
cells as (
    select
        machine,
        count(*) filter (state = 'measured') as measured_cell_count,
        count(*) filter (state = 'failed') as failed_cell_count
    from plan_coverage
    group by machine
)
select
    machines.machine,
    coalesce(measured.run_count, 0) as run_count,
    coalesce(request_count, 0) as request_count,
    coalesce(failed_count, 0) as failed_count,
    coalesce(model_count, 0) as model_count,
    measured.latest_run_at,
    coalesce(configured.configuration_count, 0) as configuration_count,
    coalesce(mlx_count, 0) as mlx_count,
    coalesce(llama_cpp_count, 0) as llama_cpp_count,
    coalesce(without_speed_count, 0) as without_speed_count,
    fastest.label as fastest_label,
    decode_tps as fastest_decode_tps,
    decode_tps_low as fastest_decode_tps_low,
    decode_tps_high as fastest_decode_tps_high,
    interval_kind as fastest_interval_kind,
    decode_run_count as fastest_run_count,
    decode_count as fastest_decode_count,
    coalesce(is_plan, false) as is_plan,
    coalesce(measured_cell_count, 0) as measured_cell_count,
    coalesce(failed_cell_count, 0) as failed_cell_count,
    (select count(*) from stg_plan) as cell_count,
    (select count(*) from damaged_files where damaged_files.contributor is null) as damaged_count
from (select 1 as one)
left join (select machine, place, is_plan from machines) as machines on true
left join measured on measured.machine = machines.machine
left join configured on configured.machine = machines.machine
left join fastest on fastest.machine = machines.machine
left join cells on cells.machine = machines.machine
order by place;

comment on view results_overview is 'One row per machine, one without machine before anything was measured: how much there is, and how far the plan is.';
comment on column results_overview.machine is 'Chip, GPU cores, memory; NULL before anything was measured.';
comment on column results_overview.run_count is 'Runs.';
comment on column results_overview.request_count is 'Measured requests, failed ones included.';
comment on column results_overview.failed_count is 'Requests that failed.';
comment on column results_overview.model_count is 'Models.';
comment on column results_overview.latest_run_at is 'Beginning of the latest run, UTC.';
comment on column results_overview.configuration_count is 'Configurations with a decode speed.';
comment on column results_overview.mlx_count is 'Those on MLX.';
comment on column results_overview.llama_cpp_count is 'Those on llama.cpp.';
comment on column results_overview.without_speed_count is 'Configurations without any decode speed.';
comment on column results_overview.fastest_label is 'The configuration that decodes fastest.';
comment on column results_overview.fastest_decode_tps is 'Its decode speed, tokens/s.';
comment on column results_overview.fastest_decode_tps_low is 'Lower end of its 95 % interval.';
comment on column results_overview.fastest_decode_tps_high is 'Upper end of its 95 % interval.';
comment on column results_overview.fastest_decode_count is 'Requests behind it.';
comment on column results_overview.is_plan is 'Whether any run went through LM Studio: only those fill cells of the plan.';
comment on column results_overview.measured_cell_count is 'Cells of the plan that are measured here.';
comment on column results_overview.failed_cell_count is 'Cells whose latest attempt failed here, or that the plan calls failed.';
comment on column results_overview.cell_count is 'Cells of the plan.';
comment on column results_overview.damaged_count is 'Files of all machines that cannot be trusted and were left out.';
comment on column results_overview.fastest_interval_kind is 'between runs: its interval holds what runs of this machine differ by; within this run: no configuration has two runs yet, and it does not.';
comment on column results_overview.fastest_run_count is 'Runs behind it.';
