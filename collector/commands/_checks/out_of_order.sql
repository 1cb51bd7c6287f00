-- One of its times lies before another that comes first, such as text before the answer began:
-- Measure again with the newest collector; a clock that only goes forward cannot give this.
with
pairs as (
    select
        file,
        op_index,
        unnest([
            {'first': 'headers_ns', 'early': headers_ns, 'name': 'first_event_ns', 'late': first_event_ns},
            {'first': 'headers_ns', 'early': headers_ns, 'name': 'first_text_ns', 'late': first_text_ns},
            {'first': 'first_event_ns', 'early': first_event_ns, 'name': 'first_text_ns', 'late': first_text_ns},
            {'first': 'first_text_ns', 'early': first_text_ns, 'name': 'first_answer_ns', 'late': first_answer_ns},
            {'first': 'first_text_ns', 'early': first_text_ns, 'name': 'last_text_ns', 'late': last_text_ns},
            {'first': 'first_answer_ns', 'early': first_answer_ns, 'name': 'last_text_ns', 'late': last_text_ns},
            {'first': 'last_text_ns', 'early': last_text_ns, 'name': 'done_ns', 'late': done_ns},
            {'first': 'done_ns', 'early': done_ns, 'name': 'elapsed_ns', 'late': elapsed_ns}
        ]) as pair
    from raw_operations
)
select file, op_index as "row", pair.name as name, concat(pair.late, ', before ', pair.first, ' ', pair.early) as value
from pairs
where pair.late < pair.early
order by file, op_index
