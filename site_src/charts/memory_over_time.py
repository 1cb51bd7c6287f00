"""Memory over time

The latest run, at most 200 samples: of each stretch of time the one with most in use. Bands say what was going on. The
engine is its processes' footprint on macOS and their proportional set size on Linux.
"""

import altair as alt

view = "memory_over_time"
FIGURES = {"in use on the machine": "var(--chart-4)", "engine": "var(--chart-1)"}
PHASES = {
    "before loading": "var(--md-default-fg-color--light)",
    "loading": "var(--chart-5)",
    "before requests": "var(--chart-2)",
    "requests": "var(--chart-3)",
    "afterwards": "var(--md-default-fg-color--light)",
}


def chart(rows: alt.InlineData) -> alt.TopLevelMixin:
    """A line for each figure, over a band for each phase of the run."""
    base = alt.Chart(rows)
    phases = alt.Scale(domain=list(PHASES), range=list(PHASES.values()))
    bands = (
        base.transform_filter("datum.is_first_of_phase")
        .mark_rect(opacity=0.2)
        .encode(
            x=alt.X("phase_from_s:Q", title="seconds since the run began", scale=alt.Scale(zero=True)),
            x2=alt.X2("phase_to_s:Q"),
            fill=alt.Fill("phase:N", title=None, scale=phases),
        )
    )
    lines = base.mark_line(strokeWidth=2, interpolate="linear").encode(
        x=alt.X("seconds:Q"),
        y=alt.Y("memory_gb:Q", title="memory, GB", scale=alt.Scale(zero=True)),
        stroke=alt.Stroke(
            "figure:N",
            title=None,
            legend=alt.Legend(orient="bottom"),
            scale=alt.Scale(domain=list(FIGURES), range=list(FIGURES.values())),
        ),
        tooltip=[
            alt.Tooltip("figure:N"),
            alt.Tooltip("memory_gb:Q", title="GB", format=".2f"),
            alt.Tooltip("seconds:Q", format=".1f"),
            alt.Tooltip("phase:N"),
        ],
    )
    return alt.layer(bands, lines)
