"""Decode speed by prompt

Each dot is one request, each bar the median of its prompt. The six configurations measured last.
"""

import altair as alt

view = "decode_by_prompt"


def chart(rows: alt.InlineData) -> alt.TopLevelMixin:
    """Dots for the requests, a tick for the median; one band per prompt, one line in it per configuration."""
    base = alt.Chart(rows).encode(
        y=alt.Y("prompt_id:N", title="prompt", axis=alt.Axis(grid=True)),
        yOffset=alt.YOffset("label:N"),
        color=alt.Color("label:N", title=None, legend=alt.Legend(orient="top", columns=1, labelLimit=320)),
    )
    dots = base.mark_circle(size=55, opacity=0.55).encode(
        x=alt.X("decode_tps:Q", title="decode, tokens/s", scale=alt.Scale(zero=True, nice=True)),
        tooltip=[
            alt.Tooltip("label:N", title="configuration"),
            alt.Tooltip("prompt_id:N", title="prompt"),
            alt.Tooltip("repeat:Q"),
            alt.Tooltip("decode_tps:Q", title="tokens/s", format=".2f"),
        ],
    )
    medians = base.mark_tick(thickness=3, size=16).encode(x=alt.X("median_tps:Q"))
    return alt.layer(dots, medians)
