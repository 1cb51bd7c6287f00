-- It holds a run that is there already, under another id:
-- A run is added once: leave this file out.
select distinct file, cast(null as integer) as "row", 'also in' as name, copy_file as value
from run_copies
order by file, value
