-- It began at a time that is still to come by this computer's clock:
-- Set the clock right, this one or that of the computer that measured, and measure again.
select file, cast(null as integer) as "row", 'run_started_at' as name, strftime(run_started_at, '%Y-%m-%d %H:%M:%S') as value
from raw_ahead
order by file
