"""Memory by depth

Each line is a context ladder, each mark the highest memory in use while a rung's prompts were answered: on macOS of
the whole machine, on Linux of the engine.
"""

import altair as alt

from site_src.charts_marks import curve

view = "context_by_depth"
where = "figure = 'memory'"


def chart(rows: alt.InlineData) -> alt.TopLevelMixin:
    """A line for each ladder."""
    layers = curve(
        rows,
        alt.X("depth:Q", title="prompt, tokens", scale=alt.Scale(zero=True)),
        alt.Y("figure_value:Q", title="memory, GB", scale=alt.Scale(zero=True)),
        "figure_min",
        "figure_max",
        "ladder_id",
        ("label:N", "configuration", None),
        ("depth:Q", "tokens", ","),
        ("figure_value:Q", "memory, GB", ".4g"),
        ("figure_min:Q", "from", ".4g"),
        ("figure_max:Q", "to", ".4g"),
        ("verdict:N", "rung", None),
        ("request_count:Q", "requests", ","),
    )
    return alt.layer(*layers)
