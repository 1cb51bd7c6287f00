create or replace view run_roundtrip as
select run_id, median(list_aggregate(roundtrip_us, 'median')) * 1000 as roundtrip_ns
from raw_facts
where op = 'probe'
group by run_id;

comment on view run_roundtrip is 'One row per run that was probed.';
comment on column run_roundtrip.run_id is 'The run.';
comment on column run_roundtrip.roundtrip_ns is 'Median time of a trivial request there and back, in ns.';
