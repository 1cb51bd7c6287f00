"""How text arrived

The longest request of each of the latest three runs, some 400 chunks of each. The flat beginning is the time to first
token; after it a straight line is even decoding, a step is a stall. Dashes are reasoning.
"""

import altair as alt

view = "run_arrival"


def chart(rows: alt.InlineData) -> alt.TopLevelMixin:
    """Characters over time, a step for each chunk, a line for each run."""
    return (
        alt.Chart(rows)
        .mark_line(interpolate="step-after", strokeWidth=2)
        .encode(
            x=alt.X("seconds:Q", title="seconds since the request was sent", scale=alt.Scale(zero=True)),
            y=alt.Y("characters:Q", title="characters received"),
            color=alt.Color("stream:N", title=None, legend=alt.Legend(columns=1)),
            strokeDash=alt.StrokeDash(
                "kind:N", legend=None, scale=alt.Scale(domain=["answer", "reasoning"], range=[[1, 0], [4, 3]])
            ),
            tooltip=[
                alt.Tooltip("stream:N", title="run and prompt"),
                alt.Tooltip("repeat:Q"),
                alt.Tooltip("kind:N"),
                alt.Tooltip("seconds:Q", format=".3f"),
                alt.Tooltip("characters:Q", format=","),
                alt.Tooltip("chunk_number:Q", title="chunk", format=","),
                alt.Tooltip("chunk_count:Q", title="chunks in all", format=","),
            ],
        )
    )
