"""How the text of one request arrived

The longest request of the latest run. The flat beginning is the time to first token; after it, a straight line is
even decoding, a step is a stall.
"""

import altair as alt

view = "token_arrival"


def chart(rows: alt.InlineData) -> alt.TopLevelMixin:
    """Characters over time, as a step per chunk."""
    return (
        alt.Chart(rows)
        .mark_line(interpolate="step-after", strokeWidth=2)
        .encode(
            x=alt.X("seconds:Q", title="seconds since the request was sent", scale=alt.Scale(zero=True)),
            y=alt.Y("characters:Q", title="characters received"),
            color=alt.Color("kind:N", title=None, legend=alt.Legend(orient="top")),
            tooltip=[
                alt.Tooltip("seconds:Q", format=".3f"),
                alt.Tooltip("characters:Q"),
                alt.Tooltip("chunk_number:Q", title="chunk"),
            ],
        )
    )
