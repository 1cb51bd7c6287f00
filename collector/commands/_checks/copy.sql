-- It holds a run that is there already, under another id:
-- A run is added once: leave this file out.
select copy_file as file, cast(null as integer) as "row", 'also in' as name, file as value
from run_copies
union all
select file, null, 'also in', copy_file from run_copies
order by file, value
