create or replace view overview as
with
totals as (
    select
        count(*) as run_count,
        count(distinct machine) as machine_count,
        count(distinct model) as model_count,
        coalesce(sum(request_count), 0)::bigint as request_count,
        coalesce(sum(failed_count), 0)::bigint as failed_count,
        max(run_started_at) as latest_run_at
    from runs
),
latest as (
    select label, machine, decode_tps, decode_tps_low, decode_tps_high, decode_count,
        ttft_ms, ttft_ms_low, ttft_ms_high, peak_memory_gb
    from runs
    where decode_tps is not null
    order by run_started_at desc, run_id
    limit 1
)
select
    totals.*,
    (select count(*) from run_summary where decode_tps is not null) as configuration_count,
    (select count(*) from damaged_files) as damaged_count,
    latest.label as latest_label,
    latest.machine as latest_machine,
    latest.decode_tps as latest_decode_tps,
    latest.decode_tps_low as latest_decode_tps_low,
    latest.decode_tps_high as latest_decode_tps_high,
    latest.decode_count as latest_decode_count,
    latest.ttft_ms as latest_ttft_ms,
    latest.ttft_ms_low as latest_ttft_ms_low,
    latest.ttft_ms_high as latest_ttft_ms_high,
    latest.peak_memory_gb as latest_peak_memory_gb
from totals
left join latest on true;

comment on view overview is 'One row: how much was measured, and the latest run with a decode speed.';
comment on column overview.run_count is 'Run files.';
comment on column overview.machine_count is 'Machines.';
comment on column overview.model_count is 'Models.';
comment on column overview.request_count is 'Measured requests, failed ones included.';
comment on column overview.failed_count is 'Requests that failed.';
comment on column overview.latest_run_at is 'Beginning of the latest run, UTC.';
comment on column overview.configuration_count is 'Configurations with a decode speed.';
comment on column overview.damaged_count is 'Files that were skipped because they cannot be trusted.';
comment on column overview.latest_label is 'Latest run: model, quantization, engine.';
comment on column overview.latest_machine is 'Latest run: machine.';
comment on column overview.latest_decode_tps is 'Latest run: decode speed, tokens/s.';
comment on column overview.latest_decode_tps_low is 'Lower end of its 95 % interval.';
comment on column overview.latest_decode_tps_high is 'Upper end of its 95 % interval.';
comment on column overview.latest_decode_count is 'Requests behind it.';
comment on column overview.latest_ttft_ms is 'Latest run: time to first token, ms.';
comment on column overview.latest_ttft_ms_low is 'Lower end of its 95 % interval.';
comment on column overview.latest_ttft_ms_high is 'Upper end of its 95 % interval.';
comment on column overview.latest_peak_memory_gb is 'Latest run: peak memory, GB.';
