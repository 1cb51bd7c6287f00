"""Usable against advertised context

The pale bar is what a model is made for, the tick what the server had, the bar in color what was usable. The thin
line leads to the first length that was not: the limit lies on it.
"""

import altair as alt

from site_src.charts_marks import NAME, named_above, tooltip
from site_src.charts_theme import FAINT, TEXT, runtime

view = "context_utilization"
where = "coalesce(context_advertised, context_effective) is not null"
LINE = 20


def chart(rows: alt.InlineData) -> alt.TopLevelMixin:
    """Bars over each other for each ladder, its name above them."""
    base = alt.Chart(rows).encode(
        y=named_above("ladder_name", LINE, sort=None),
        tooltip=tooltip(
            ("label:N", "configuration", None),
            ("context_advertised:Q", "advertised", ","),
            ("context_effective:Q", "effective", ","),
            ("context_accepted:Q", "accepted", ","),
            ("context_usable:Q", "usable", ","),
            ("context_usable_below:Q", "not usable from", ","),
            ("request_count:Q", "requests", ","),
        ),
    )
    scale = alt.Scale(zero=True)
    made_for = base.mark_bar(size=16, color=FAINT).encode(x=alt.X("context_advertised:Q", title="tokens", scale=scale))
    usable = base.mark_bar(size=10).encode(x=alt.X("context_usable:Q"), color=runtime(rows))
    between = base.mark_rule(strokeWidth=2).encode(
        x=alt.X("context_usable:Q"), x2=alt.X2("context_usable_below:Q"), color=runtime(rows)
    )
    had = base.mark_tick(thickness=2, size=20, color=TEXT).encode(x=alt.X("context_effective:Q"))
    return alt.layer(made_for, between, usable, had).properties(height=alt.Step(LINE + NAME))
