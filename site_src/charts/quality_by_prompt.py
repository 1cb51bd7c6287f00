"""What became of each prompt

One row per build, one column per prompt: the outcome of more than half of its outputs. Broken is empty, looping,
leaking or in the wrong language; agrees and differs are of a puzzle that can be read in two ways. Repeats count once.
"""

import altair as alt

view = "quality_by_prompt"
SHADES = {
    "pass": "var(--chart-3)",
    "agrees": "var(--chart-1)",
    "differs": "var(--chart-5)",
    "not judged": "var(--md-default-fg-color--lightest)",
    "not run": "var(--md-default-fg-color--lighter)",
    "fail": "var(--chart-6)",
    "broken": "var(--chart-2)",
}


def chart(rows: alt.InlineData) -> alt.TopLevelMixin:
    """A cell for each build and prompt, with the verdict's first letters in it, so that color is not all."""
    base = alt.Chart(rows).encode(
        x=alt.X("prompt_id:N", title=None, axis=alt.Axis(orient="top", labelAngle=-30)),
        y=alt.Y("label:N", title=None, sort=None, axis=alt.Axis(labelLimit=260)),
        tooltip=[
            alt.Tooltip("label:N", title="build"),
            alt.Tooltip("prompt_id:N", title="prompt"),
            alt.Tooltip("verdict:N"),
            alt.Tooltip("outcomes:N", title="by repeat"),
            alt.Tooltip("passed_count:Q", title="answers passed"),
            alt.Tooltip("judged_count:Q", title="answers judged"),
        ],
    )
    scale = alt.Scale(domain=list(SHADES), range=list(SHADES.values()))
    cells = base.mark_rect(stroke="var(--md-default-bg-color)", strokeWidth=2, opacity=0.75).encode(
        color=alt.Color("verdict:N", title=None, scale=scale)
    )
    return alt.layer(cells, base.mark_text(fontSize=11).encode(text=alt.Text("verdict:N")))
