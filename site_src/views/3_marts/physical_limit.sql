create or replace view physical_limit as
select
    configuration_id, label, machine, chip, model, runtime, quantization, harness, request_count,
    bits_per_weight, weights_per_token_b, depth, gb_per_token, memory_bandwidth_gbs,
    memory_bandwidth_gbs / gb_per_token as ceiling_tps,
    decode_tps, decode_tps_low, decode_tps_high,
    decode_tps * gb_per_token / memory_bandwidth_gbs as ceiling_share,
    case
        when gb_per_token is null or memory_bandwidth_gbs is null then 'unknown'
        when decode_tps * gb_per_token > memory_bandwidth_gbs then 'impossible'
        when decode_tps * gb_per_token < 0.15 * memory_bandwidth_gbs then 'look here'
        else 'plausible'
    end as verdict,
    case
        when weights_per_token_b is null then 'models.csv does not know how many weights a token reads'
        when bits_per_weight is null then 'neither bits nor file size are known'
        when depth is null then 'the length of the prompts is not known'
        when memory_bandwidth_gbs is null then 'machines.csv does not know the bandwidth of this chip'
        when decode_tps * gb_per_token > memory_bandwidth_gbs
            then 'more than memory can deliver: wrong weights, a cache, or speculative decoding'
        when decode_tps * gb_per_token < 0.15 * memory_bandwidth_gbs then 'far below what memory can deliver'
    end as reason
from weight_traffic
order by model, runtime, bits_per_weight, label;

comment on view physical_limit is 'One row per configuration with a decode speed and per archived figure: the ceiling that memory bandwidth sets, and the share of it reached.';
comment on column physical_limit.configuration_id is 'The configuration; NULL for an archived figure.';
comment on column physical_limit.label is 'Model, quantization, engine.';
comment on column physical_limit.machine is 'Chip, GPU cores, memory.';
comment on column physical_limit.chip is 'The chip.';
comment on column physical_limit.model is 'The model.';
comment on column physical_limit.runtime is 'Engine that ran the model.';
comment on column physical_limit.quantization is 'Its quantization.';
comment on column physical_limit.harness is 'How it was measured; archived figures compare with nothing else here.';
comment on column physical_limit.request_count is 'Requests behind the speed.';
comment on column physical_limit.bits_per_weight is 'Bits read for each weight.';
comment on column physical_limit.weights_per_token_b is 'Weights read for each token, billions.';
comment on column physical_limit.depth is 'Tokens in the context.';
comment on column physical_limit.gb_per_token is 'GB read from memory for each token.';
comment on column physical_limit.memory_bandwidth_gbs is 'Memory bandwidth as the maker publishes it, GB/s.';
comment on column physical_limit.ceiling_tps is 'Bandwidth over GB per token: no decode speed can be higher, tokens/s.';
comment on column physical_limit.decode_tps is 'Decode speed, tokens/s.';
comment on column physical_limit.decode_tps_low is 'Lower end of its 95 % interval.';
comment on column physical_limit.decode_tps_high is 'Upper end of its 95 % interval.';
comment on column physical_limit.ceiling_share is 'Decode speed over the ceiling.';
comment on column physical_limit.verdict is 'plausible; impossible above 100 %, which is a bug; look here below 15 %; unknown.';
comment on column physical_limit.reason is 'What is not known, or what to look for.';
