-- What a token costs in memory traffic: weights at their bits, and the cache that is read at the prompts' depth.
-- MLX quantizes groups of 64 with a scale and a bias of 16 bits: n + 0.5. Of GGUF the file tells: size x 8 / weights.
create or replace view weight_traffic as
with
depths as (
    select configuration_id, median(prompt_tokens + completion_tokens / 2) as depth
    from stg_requests
    inner join stg_runs using (run_id)
    group by configuration_id
),
chips as (
    select configuration_id, any_value(chip order by run_id) as chip, any_value(gpu_cores order by run_id) as gpu_cores
    from raw_facts
    inner join (select run_id, configuration_id from stg_runs) as named using (run_id)
    group by configuration_id
),
measured as (
    select
        configuration_id, label, machine, run_summary.model, runtime, quantization, server as harness,
        decode_tps, decode_tps_low, decode_tps_high, decode_count as request_count, chip, gpu_cores,
        case when runtime = 'mlx' then mlx_bits(bits) else file_gb * 8 / known.parameters_total_b end
            as bits_per_weight,
        depth
    from run_summary
    left join depths using (configuration_id)
    left join chips using (configuration_id)
    left join (select distinct model, parameters_total_b from stg_models) as known on known.model = run_summary.model
    where decode_tps is not null
    union all
    select
        null, concat(model, ' ', variant, ' · ', harness), null, model, 'mlx', variant, harness,
        decode_tps, null, null, null, chip, null,
        if(variant like 'mlx-%', mlx_bits(nominal_bits(variant)), null),
        0
    from archive
    where decode_tps is not null
)
select
    measured.*,
    known.weights_per_token_b,
    known.kv_bytes_per_token,
    stg_machines.memory_bandwidth_gbs,
    known.weights_per_token_b * bits_per_weight / 8 + gb(coalesce(known.kv_bytes_per_token, 0) * depth) as gb_per_token
from measured
left join (select distinct model, weights_per_token_b, kv_bytes_per_token from stg_models) as known using (model)
left join stg_machines
    on stg_machines.chip = measured.chip
    and (stg_machines.gpu_cores is null or stg_machines.gpu_cores = measured.gpu_cores);

comment on view weight_traffic is 'One row per configuration with a decode speed and per archived figure: bytes read from memory for a token.';
comment on column weight_traffic.configuration_id is 'The configuration; NULL for an archived figure.';
comment on column weight_traffic.label is 'Model, quantization, engine.';
comment on column weight_traffic.machine is 'Chip, GPU cores, memory.';
comment on column weight_traffic.model is 'The model.';
comment on column weight_traffic.runtime is 'Engine that ran the model.';
comment on column weight_traffic.quantization is 'Its quantization.';
comment on column weight_traffic.harness is 'How it was measured.';
comment on column weight_traffic.decode_tps is 'Decode speed, tokens/s.';
comment on column weight_traffic.decode_tps_low is 'Lower end of its 95 % interval.';
comment on column weight_traffic.decode_tps_high is 'Upper end of its 95 % interval.';
comment on column weight_traffic.request_count is 'Requests behind it.';
comment on column weight_traffic.chip is 'The chip.';
comment on column weight_traffic.gpu_cores is 'Its GPU cores.';
comment on column weight_traffic.bits_per_weight is 'Bits read for each weight.';
comment on column weight_traffic.depth is 'Tokens in the context, median over requests and half their answers.';
comment on column weight_traffic.weights_per_token_b is 'Weights read for each token, billions.';
comment on column weight_traffic.kv_bytes_per_token is 'Cache for a token of context, bytes.';
comment on column weight_traffic.memory_bandwidth_gbs is 'Memory bandwidth as the maker publishes it, GB/s.';
comment on column weight_traffic.gb_per_token is 'GB read from memory for each token.';
