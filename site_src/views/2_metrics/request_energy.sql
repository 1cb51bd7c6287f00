-- Joules for each token, net of what flows at rest in the same time. Half a second at least: counters are brought up to date
-- every few ms, and the moment of a reading is known to about one.
create or replace view request_energy as
with
phases as (
    select
        stg_energy.run_id, op_index, phase, seconds, gpu_busy_share,
        joules_of(rails_j, kept) as joules,
        case
            when seconds < 0.5 then 'shorter than 0.5 s: the energy counters are too slow for it'
            when edge_share > 0.05 then 'no reading of the energy counters near where it began or ended'
        end as phase_reason
    from stg_energy
    inner join run_energy using (run_id)
    where op = 'request'
),
joined as (
    select
        speed.run_id, speed.op_index, speed.prompt_sha256, decode_tokens, prompt_tokens - coalesce(cached_tokens, 0) as prefill_tokens,
        decode.seconds as decode_s, decode.joules as decode_all_j, decode_all_j - rest_watts * decode_s as decode_j,
        decode.gpu_busy_share, prefill.joules - rest_watts * prefill.seconds as prefill_j,
        case
            when not is_counted then coalesce(run.reason, 'its joules are of another kind than the newest run has')
            when exclusion is not null then exclusion
            when decode_reason is not null then decode_reason
            when decode.joules is null then 'the energy counters were not read around it'
            when decode.phase_reason is not null then decode.phase_reason
            when decode_j <= 0 then 'no more energy flowed than at rest'
        end as decode_reason,
        case
            when not is_counted then coalesce(run.reason, 'its joules are of another kind than the newest run has')
            when exclusion is not null then exclusion
            when prefill_reason is not null then prefill_reason
            when prefill.joules is null then 'the energy counters were not read around it'
            when prefill.phase_reason is not null then prefill.phase_reason
            when prefill_j <= 0 then 'no more energy flowed than at rest'
        end as prefill_reason
    from request_speed as speed
    inner join run_energy as run using (run_id)
    inner join (select run_id, op_index, exclusion from request_flags) as flags using (run_id, op_index)
    left join phases as decode on decode.run_id = speed.run_id and decode.op_index = speed.op_index and decode.phase = 'decode'
    left join phases as prefill on prefill.run_id = speed.run_id and prefill.op_index = speed.op_index and prefill.phase = 'prefill'
)
select
    run_id, op_index, prompt_sha256,
    if(decode_reason is null, decode_j / decode_tokens, null) as decode_j_per_token,
    if(decode_reason is null, decode_all_j / decode_s, null) as decode_watts,
    if(decode_reason is null, gpu_busy_share, null) as gpu_busy_share,
    decode_reason,
    if(prefill_reason is null, prefill_j / prefill_tokens, null) as prefill_j_per_token,
    prefill_reason
from joined;

comment on view request_energy is 'One row per measured request: joules for each token, or why they are not known.';
comment on column request_energy.run_id is 'The run.';
comment on column request_energy.op_index is 'Which operation.';
comment on column request_energy.prompt_sha256 is 'The prompt.';
comment on column request_energy.decode_j_per_token is 'Joules for each token generated after the first text, rest subtracted.';
comment on column request_energy.decode_watts is 'What the rails drew while decoding, W, rest included.';
comment on column request_energy.gpu_busy_share is 'Share of that time in which the GPU worked, 0 to 1.';
comment on column request_energy.decode_reason is 'Why there are no joules of decode.';
comment on column request_energy.prefill_j_per_token is 'Joules for each token of the prompt, from sending to the first text, rest subtracted.';
comment on column request_energy.prefill_reason is 'Why there are no joules of prefill.';
