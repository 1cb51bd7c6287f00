-- Written by `scripts/bench fidelity --full`, never by hand: each client judged by the server's log of its own requests.
create or replace view client_fidelity as
select
    client,
    cast(request_count as integer) as request_count,
    cast(decode_error_percent as double) as decode_error_percent,
    cast(decode_error_percent_max as double) as decode_error_percent_max,
    cast(ttft_excess_ms as double) as ttft_excess_ms,
    cast(cached_count as integer) as cached_count,
    cast(cpu_s as double) as cpu_s,
    cast(rss_mb as double) as rss_mb,
    engine,
    machine,
    measured_on
from raw_clients
order by line;

comment on view client_fidelity is 'One row per client run against the same real engine: how true its figures are, and what it costs.';
comment on column client_fidelity.client is 'The client and its version.';
comment on column client_fidelity.request_count is 'Requests it measured.';
comment on column client_fidelity.decode_error_percent is 'Median of its decode speed over the server''s, less one, %.';
comment on column client_fidelity.decode_error_percent_max is 'Largest such difference, either way, %.';
comment on column client_fidelity.ttft_excess_ms is 'Median of its TTFT less the server''s prompt time, ms.';
comment on column client_fidelity.cached_count is 'Requests whose prompt came mostly from the prompt cache, so that their TTFT is none.';
comment on column client_fidelity.cpu_s is 'CPU time of the client, s; ours from the first measured request to the last, sampler included, others for their whole run.';
comment on column client_fidelity.rss_mb is 'Peak resident memory of the client, MB.';
comment on column client_fidelity.engine is 'What answered.';
comment on column client_fidelity.machine is 'Where.';
comment on column client_fidelity.measured_on is 'When.';
