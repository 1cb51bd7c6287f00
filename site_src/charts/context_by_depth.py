"""What depth costs

Each dot is a rung of a context ladder: time to first token, decode speed and memory at that prompt length.
"""

import altair as alt

view = "context_by_depth"


def chart(rows: alt.InlineData) -> alt.TopLevelMixin:
    """A panel for each figure, a line for each ladder."""
    lines = (
        alt.Chart(rows)
        .mark_line(point=True)
        .encode(
            x=alt.X("depth:Q", title="prompt, tokens", scale=alt.Scale(zero=True)),
            y=alt.Y("figure_value:Q", title=None, scale=alt.Scale(zero=True)),
            color=alt.Color("label:N", title=None, legend=alt.Legend(orient="top", columns=1, labelLimit=320)),
            detail="ladder_id:N",
            tooltip=[
                alt.Tooltip("label:N", title="configuration"),
                alt.Tooltip("depth:Q", title="tokens", format=","),
                alt.Tooltip("figure_value:Q", title="value", format=".3g"),
                alt.Tooltip("verdict:N"),
            ],
        )
        .properties(height=150, width=440)
    )
    return lines.facet(row=alt.Row("figure:N", title=None)).resolve_scale(y="independent")
