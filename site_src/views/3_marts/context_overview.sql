create or replace view context_overview as
select
    count(*) as ladder_count,
    max(context_usable) as best_usable,
    arg_max(label, context_usable) as best_label,
    max(context_accepted) as best_accepted,
    arg_max(label, context_accepted) as best_accepted_label
from context_utilization;

comment on view context_overview is 'One row: how many ladders there are, and the longest context that was usable.';
comment on column context_overview.ladder_count is 'Ladders.';
comment on column context_overview.best_usable is 'Longest usable context, tokens.';
comment on column context_overview.best_label is 'Which configuration that is.';
comment on column context_overview.best_accepted is 'Longest prompt taken whole, tokens.';
comment on column context_overview.best_accepted_label is 'By which configuration.';
