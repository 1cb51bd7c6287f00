"""Hidden numbers found, by depth

Each line is a context ladder, each mark the share of a rung's hidden numbers that the answers name, with Wilson's 95
% interval. The rule is the bar: five of six.
"""

import altair as alt

from site_src.charts_marks import curve
from site_src.charts_theme import line

view = "context_by_depth"
where = "figure = 'needles found'"


def chart(rows: alt.InlineData) -> alt.TopLevelMixin:
    """A line for each ladder, and the bar that a rung has to reach."""
    layers = curve(
        rows,
        alt.X("depth:Q", title="prompt, tokens", scale=alt.Scale(zero=True)),
        alt.Y("figure_value:Q", title="share found", scale=alt.Scale(domain=[0, 1])),
        "figure_min",
        "figure_max",
        "ladder_id",
        ("label:N", "configuration", None),
        ("depth:Q", "tokens", ","),
        ("found_count:Q", "found", ","),
        ("needle_count:Q", "of", ","),
        ("figure_min:Q", "share from", ".2f"),
        ("figure_max:Q", "to", ".2f"),
        ("verdict:N", "rung", None),
    )
    return alt.layer(*layers, line("y", 5 / 6, strokeDash=[4, 4]))
