-- It holds a run that is there already:
-- A run is added once: leave this file out.
select file, cast(null as integer) as "row", 'also in' as name, first as value from raw_set_aside where why = 'twin'
union all
select first, null, 'also in', file from raw_set_aside where why = 'twin'
