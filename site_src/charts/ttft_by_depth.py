"""Time to first token by depth

Each line is a context ladder, each mark the median of a rung's prompts; its line reaches from the fastest to the
slowest of them. The text of a prompt is never in the cache.
"""

import altair as alt

from site_src.charts_marks import curve

view = "context_by_depth"
where = "figure = 'TTFT'"


def chart(rows: alt.InlineData) -> alt.TopLevelMixin:
    """A line for each ladder."""
    layers = curve(
        rows,
        alt.X("depth:Q", title="prompt, tokens", scale=alt.Scale(zero=True)),
        alt.Y("figure_value:Q", title="TTFT, s", scale=alt.Scale(zero=True)),
        "figure_min",
        "figure_max",
        "ladder_id",
        ("label:N", "configuration", None),
        ("depth:Q", "tokens", ","),
        ("figure_value:Q", "TTFT, s", ".3g"),
        ("figure_min:Q", "from", ".3g"),
        ("figure_max:Q", "to", ".3g"),
        ("verdict:N", "rung", None),
        ("request_count:Q", "requests", ","),
    )
    return alt.layer(*layers)
