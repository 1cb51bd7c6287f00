-- It generates faster than the memory of that machine can deliver the weights:
-- Look for a cache, speculative decoding, or a wrong line in results/models.csv; then measure again.
select
    file,
    op_index as "row",
    'decode_tps' as name,
    printf(
        '%.1f tokens/s, at most %.1f', speed.decode_tps,
        memory_bandwidth_gbs / (weights_per_token_b * bits_per_weight / 8 + gb(coalesce(kv_bytes_per_token, 0) * prompt_tokens))
    ) as value
from request_speed as speed
inner join stg_runs using (run_id)
inner join weight_traffic using (configuration_id)
where
    speed.decode_tps * (weights_per_token_b * bits_per_weight / 8 + gb(coalesce(kv_bytes_per_token, 0) * prompt_tokens))
    > memory_bandwidth_gbs
order by file, op_index
