-- The times of its chunks do not add up to the times of its text:
-- Take the file again from where it was made; none is ever edited.
with
placed as (
    select
        file,
        op_index,
        chunks,
        first_text_ns,
        last_text_ns,
        [number for number in range(1, len(chunks) + 1) if chunks[number].chars > 0] as texts,
        -- text that is neither reasoning nor answer may be left out of these times
        [number for number in texts if chunks[number].kind != 'other'] as known
    from raw_operations
    where len(chunks) > 0
),
ends as (
    select
        file,
        op_index,
        chunks,
        unnest([
            {'name': 'first_text_ns', 'told': first_text_ns, 'places': [texts[1], known[1]]},
            {'name': 'last_text_ns', 'told': last_text_ns, 'places': [texts[-1], known[-1]]}
        ]) as stop
    from placed
),
summed as (
    select
        *,
        [coalesce(list_sum([chunk.gap_us for chunk in chunks[1:place]]), 0) * 1000 for place in stop.places] as summed_ns
    from ends
)
select file, op_index as "row", stop.name as name, concat(stop.told, ', by its chunks ', summed_ns[1]) as value
from summed
where
    (stop.told is not null and (
        stop.places[1] is null or least(abs(stop.told - summed_ns[1]), abs(stop.told - summed_ns[2])) > 1e6
    ))
    or (stop.told is null and stop.places[2] is not null)
order by file, op_index
