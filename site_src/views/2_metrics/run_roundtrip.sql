-- No answer's headers come before a round trip: where they came sooner than what was to be trivial, they are the measure.
create or replace view run_roundtrip as
select
    run_id,
    median(list_aggregate(roundtrip_us, 'median')) filter (op = 'probe') * 1000 as probed_ns,
    least(probed_ns, min(headers_ns)) as roundtrip_ns
from raw_facts
group by run_id
having probed_ns is not null;

comment on view run_roundtrip is 'One row per run that was probed.';
comment on column run_roundtrip.run_id is 'The run.';
comment on column run_roundtrip.probed_ns is 'Median time of a trivial request there and back, in ns.';
comment on column run_roundtrip.roundtrip_ns is 'The same, or the soonest headers of an answer where they came sooner, in ns.';
