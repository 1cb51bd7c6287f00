-- Rules fixed before looking. A flag deletes nothing: it keeps a request out of figures and comparisons, and is counted.
create or replace view request_flags as
with
lengths as (
    select run_id, prompt_sha256, any_value(model) as model, any_value(contributor) as contributor, max(prompt_tokens) as prompt_tokens
    from request_speed
    inner join stg_runs using (run_id)
    where not is_failed
    group by run_id, prompt_sha256
),
-- a prompt's length by all runs: of two the longer, of more the middle one, for one wrong count cuts no other's prompt
usual_lengths as (
    select
        run_id, prompt_sha256,
        if(model is null, null, quantile_disc(prompt_tokens, 0.51) over (partition by prompt_sha256, contributor, model)) as of_model,
        quantile_disc(prompt_tokens, 0.51) over (partition by prompt_sha256, contributor) as of_any
    from lengths
),
flagged as (
    select
        speed.run_id,
        speed.op_index,
        speed.prompt_id,
        speed.position,
        speed.is_failed,
        speed.error_kind,
        coalesce(speed.cached_tokens > 16, false) as is_cached,
        coalesce(speed.ttft_ms < 0.5 * usual.usual_ttft_ms, false) as is_early,
        usual.is_late,
        coalesce(model.is_other_model, false) as is_other_model,
        coalesce(model.is_unloaded, false) as is_unloaded,
        case
            -- templates differ by some tokens, tokenizers by half
            when speed.prompt_tokens + 64 < greatest(0.8 * lengths.of_model, 0.4 * lengths.of_any)
                then 'the prompt was cut: elsewhere it has far more tokens'
            -- English and code have 3 to 5 characters a token, Chinese 1 to 2, and imports of Java 7
            when requests.prompt_chars / 8 > speed.prompt_tokens then 'the prompt was cut: so few tokens cannot hold what was sent'
        end as cut_reason,
        coalesce(
            abs(speed.reported_decode_tps / speed.decode_tps - 1) > 0.05 or speed.ttft_ms < 0.98 * speed.reported_prompt_ms,
            false
        ) as is_timing_mismatch,
        coalesce(
            requests.pressure_level > 1 or swap_grown_bytes > 500e6 or compressor_grown_bytes > 2e9, false
        ) as is_pressured,
        coalesce(requests.thermal_level > 0, false) as is_hot,
        has_slept(requests.slept_ms) as is_slept_through,
        stood_still(requests.stood_ms) as is_stood_still,
        requests.pressure_level,
        requests.thermal_level
    from request_speed as speed
    inner join stg_requests as requests using (run_id, op_index)
    inner join request_usual as usual using (run_id, op_index)
    left join run_peaks using (run_id)
    left join request_model as model on model.run_id = speed.run_id and model.op_index = speed.op_index
    left join usual_lengths as lengths on lengths.run_id = speed.run_id and lengths.prompt_sha256 = speed.prompt_sha256
)
select
    *,
    is_cached or is_early as is_cache_suspect,
    case
        when is_failed then 'failed: ' || error_kind
        when is_other_model then 'another model answered'
        when is_unloaded then 'the model was not loaded any more'
        when is_slept_through then 'the machine slept meanwhile'
        when is_stood_still then 'the process stood still meanwhile'
        when is_hot then 'the machine was hot'
        when is_pressured then 'memory was short'
        when is_cached then 'the prompt was partly cached'
        when cut_reason is not null then cut_reason
        when is_early then 'the first token came in less than half the usual time, as from a cache'
        when is_late then 'the first token came more than five times later than usual, as after loading the model again'
        when is_timing_mismatch then 'our clock and the server''s differ'
    end as exclusion
from flagged;

comment on view request_flags is 'One row per measured request: what speaks against it, and whether that keeps it out of figures and comparisons.';
comment on column request_flags.run_id is 'The run.';
comment on column request_flags.op_index is 'Place among the run''s operations.';
comment on column request_flags.prompt_id is 'The prompt''s name in its suite.';
comment on column request_flags.position is 'Place among the run''s measured requests, from 1.';
comment on column request_flags.is_failed is 'Whether the request failed.';
comment on column request_flags.error_kind is 'How it failed, or what is flawed in its text.';
comment on column request_flags.is_cached is 'More than 16 prompt tokens were taken from a cache; up to that, the chat template explains it.';
comment on column request_flags.is_early is 'TTFT below half the median of this prompt in this configuration under the same versions.';
comment on column request_flags.is_late is 'TTFT above five times what was to be expected, and more than a second above it.';
comment on column request_flags.is_other_model is 'Another model answered than the one that was measured.';
comment on column request_flags.is_unloaded is 'The server listed what was loaded just before, and the model was not among it.';
comment on column request_flags.cut_reason is 'Fewer prompt tokens than 80 % of what the same prompt has with this model, or 40 % of what it has with any, by 64 and more; or more than 8 characters each.';
comment on column request_flags.is_timing_mismatch is 'The server''s decode speed differs from ours by more than 5 %, or it spent longer on the prompt than we waited.';
comment on column request_flags.is_pressured is 'Memory pressure above normal, swap grown by more than 500 MB or compressed memory by more than 2 GB during the run.';
comment on column request_flags.is_hot is 'Thermal pressure above nominal.';
comment on column request_flags.is_slept_through is 'The machine slept for more than half a second meanwhile, and our clock stood still.';
comment on column request_flags.is_stood_still is 'The client did not run for more than half a second meanwhile, as after Ctrl-Z, and our clock went on.';
comment on column request_flags.pressure_level is 'Worst memory pressure seen: 1 normal, 2 warn, 4 critical.';
comment on column request_flags.thermal_level is 'Worst thermal pressure seen: 0 nominal to 4.';
comment on column request_flags.is_cache_suspect is 'Whether a prompt cache may have answered.';
comment on column request_flags.exclusion is 'Why it is kept out; NULL where nothing speaks against it.';
