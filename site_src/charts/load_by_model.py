"""Load time by model

From asking for the model until it is ready: the median of its warm loads, where there are none of the cold ones. The
line is the 95 % interval, which takes two loads of a kind.
"""

import altair as alt

from site_src.charts_marks import strip

view = "model_figures"
where = "load_s is not null"


def chart(rows: alt.InlineData) -> alt.TopLevelMixin:
    """A line for each model."""
    return strip(rows, "load_s", "load time, s", ("load_kind:N", "loads were", None), ("load_count:Q", "loads", ","))
