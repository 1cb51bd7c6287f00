"""Decode speed by prompt

Each dot is one request of the newest three runs, each bar the median of its prompt over all. The six configurations
of this machine that were measured last, the latest of them at the top.
"""

import altair as alt

from site_src.charts_theme import QUIET, in_order, runtime

view = "decode_by_prompt"


def chart(rows: alt.InlineData) -> alt.TopLevelMixin:
    """A band for each prompt, a line in it for each configuration, whose name stands at the left."""
    prompts, configurations = sorted(in_order(rows, "prompt_id")), in_order(rows, "recency")
    gutter = min(130, 6 * max(map(len, in_order(rows, "short_name"))))  # between the axis and the prompts' names
    axis = alt.Axis(grid=True, labelLimit=110, labelPadding=gutter + 14)
    base = alt.Chart(rows).encode(
        y=alt.Y("prompt_id:N", title="prompt", scale=alt.Scale(domain=prompts), axis=axis),
        yOffset=alt.YOffset("recency:O", sort="ascending", scale=alt.Scale(domain=configurations)),
    )
    colored = base.encode(color=runtime(rows))
    dots = colored.mark_circle(size=45, opacity=0.55).encode(
        x=alt.X("decode_tps:Q", title="decode, tokens/s", scale=alt.Scale(zero=True, nice=True)),
        tooltip=[
            alt.Tooltip("label:N", title="configuration"),
            alt.Tooltip("prompt_id:N", title="prompt"),
            alt.Tooltip("repeat:Q"),
            alt.Tooltip("decode_tps:Q", title="tokens/s", format=".2f"),
            alt.Tooltip("median_tps:Q", title="median, tokens/s", format=".2f"),
            alt.Tooltip("request_count:Q", title="requests"),
        ],
    )
    firsts = "datum.is_first"
    medians = colored.transform_filter(firsts).mark_tick(thickness=3, size=12).encode(x=alt.X("median_tps:Q"))
    names = base.transform_filter(firsts).mark_text(align="right", dx=-4, fontSize=10, limit=gutter, color=QUIET)
    named = names.encode(x=alt.value(0), text=alt.Text("short_name:N"))
    return alt.layer(dots, medians, named).properties(height=max(120, 16 * len(prompts) * len(configurations)))
