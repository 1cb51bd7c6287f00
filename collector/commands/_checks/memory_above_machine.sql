-- It used more memory than its machine has:
-- Measure again on a machine at rest; if it happens again, file an issue with this line.
with
samples as (
    select file, op_index, memory_bytes, coalesce(engine_process_count, 1) as processes, unnest(memory) as sample
    from raw_operations
),
figures as (
    select
        file,
        op_index,
        unnest([
            {'name': 'system_used_bytes', 'bytes': sample.system_used_bytes, 'most': memory_bytes},
            {'name': 'wired_bytes', 'bytes': sample.wired_bytes, 'most': memory_bytes},
            {'name': 'compressor_bytes', 'bytes': sample.compressor_bytes, 'most': memory_bytes},
            {'name': 'engine_pss_bytes', 'bytes': sample.engine_pss_bytes, 'most': memory_bytes},
            -- pages that several processes share count in each of them
            {'name': 'engine_rss_bytes', 'bytes': sample.engine_rss_bytes, 'most': memory_bytes * processes},
            -- what is compressed or swapped out counts at its full size
            {'name': 'engine_footprint_bytes', 'bytes': sample.engine_footprint_bytes, 'most': 4 * memory_bytes}
        ]) as figure
    from samples
)
select
    file,
    op_index as "row",
    concat('memory.', figure.name) as name,
    printf('%.1f GB, at most %.1f', gb(max(figure.bytes)), gb(any_value(figure.most))) as value
from figures
where figure.bytes > figure.most
group by file, op_index, figure.name
order by file, op_index
