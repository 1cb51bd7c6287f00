-- One configuration under one set of versions, and the set measured before it, paired by prompt and repeat.
create or replace view version_speed as
with
versions as (
    select
        configuration_id,
        concat_ws(' · ', server || ' ' || server_version, runtime || ' ' || runtime_version, os) as version,
        run_id,
        run_started_at
    from stg_runs
    where configuration_id in (select configuration_id from configurations)
),
ordered as (
    select
        configuration_id, version, min(run_started_at) as first_run_at, count(*) as run_count,
        row_number() over (partition by configuration_id order by min(run_started_at), version) as place
    from versions
    group by configuration_id, version
),
cells as materialized (
    select
        versions.configuration_id, ordered.place, prompt_sha256, repeat,
        avg(ln(decode_tps)) as decode, count(decode_tps) as decode_count
    from versions
    inner join ordered using (configuration_id, version)
    inner join request_speed using (run_id)
    inner join request_flags using (run_id, op_index)
    where exclusion is null
    group by all
),
prompts as (
    select
        after.configuration_id, after.place, after.prompt_sha256,
        avg(after.decode - earlier.decode) as decode,
        sum(after.decode_count + earlier.decode_count)::bigint as request_count
    from cells as after
    inner join cells as earlier
        on earlier.configuration_id = after.configuration_id
        and earlier.place = after.place - 1
        and earlier.prompt_sha256 = after.prompt_sha256
        and earlier.repeat = after.repeat
    group by all
)
select
    after.configuration_id,
    after.place,
    after.version,
    earlier.version as version_before,
    after.first_run_at,
    after.run_count,
    count(prompts.decode) as prompt_count,
    coalesce(sum(prompts.request_count), 0)::bigint as request_count,
    avg(prompts.decode) as decode,
    stddev_samp(prompts.decode) / sqrt(count(prompts.decode)) * t_of(count(prompts.decode) - 1) as decode_margin
from ordered as after
left join ordered as earlier
    on earlier.configuration_id = after.configuration_id and earlier.place = after.place - 1
left join prompts on prompts.configuration_id = after.configuration_id and prompts.place = after.place
group by all;

comment on view version_speed is 'One row per configuration and set of versions: speed against the set measured before.';
comment on column version_speed.configuration_id is 'The configuration.';
comment on column version_speed.place is 'Place of this set of versions in the history, from 1.';
comment on column version_speed.version is 'Server, engine and operating system, with versions.';
comment on column version_speed.version_before is 'The set before; NULL for the first.';
comment on column version_speed.first_run_at is 'First run under it, UTC.';
comment on column version_speed.run_count is 'Runs under it.';
comment on column version_speed.prompt_count is 'Prompts measured under both.';
comment on column version_speed.request_count is 'Requests behind the comparison.';
comment on column version_speed.decode is 'Mean over prompts of ln(decode speed / that before).';
comment on column version_speed.decode_margin is 'Half its 95 % interval.';
