"""MLX over llama.cpp by depth

Each mark is the ratio at one prompt length, with its 95 % interval: decode speed above 1 and time to first token
below 1 say that MLX is faster. Shaded is the margin of 3 %. The ratio's axis is logarithmic and does not begin at 0.
"""

import altair as alt

from site_src.charts_theme import SERIES, band, line

view = "framework_depth_ratios"
COLORS = {"decode": SERIES[2], "TTFT": SERIES[4]}


def chart(rows: alt.InlineData) -> alt.TopLevelMixin:
    """A line for each pair and figure."""
    base = alt.Chart(rows).encode(
        x=alt.X("rung:Q", title="prompt, tokens", scale=alt.Scale(zero=True)),
        tooltip=[
            alt.Tooltip("pair:N"),
            alt.Tooltip("figure:N"),
            alt.Tooltip("rung:Q", title="tokens", format=","),
            alt.Tooltip("ratio:Q", format=".3f"),
            alt.Tooltip("ratio_low:Q", title="from", format=".3f"),
            alt.Tooltip("ratio_high:Q", title="to", format=".3f"),
            alt.Tooltip("verdict:N"),
            alt.Tooltip("pair_count:Q", title="prompts on both sides"),
            alt.Tooltip("runs_a_side:Q", title="runs a side"),
        ],
    )
    axis = alt.Y("ratio:Q", title="MLX / llama.cpp", scale=alt.Scale(type="log", nice=False, padding=12))
    colors = alt.Scale(domain=list(COLORS), range=list(COLORS.values()))
    colored = base.encode(color=alt.Color("figure:N", title=None, scale=colors), detail=alt.Detail("pair:N"))
    return alt.layer(
        band("y", 0.97, 1.03),
        line("y", 1),
        colored.mark_rule(strokeWidth=2).encode(y=alt.Y("ratio_low:Q"), y2=alt.Y2("ratio_high:Q")),
        colored.mark_line(point=True).encode(y=axis),
        base.transform_filter("datum.is_end")
        .mark_text(align="right", dx=-2, dy=-10, fontSize=10)
        .encode(y=alt.Y("ratio:Q"), text=alt.Text("pair:N")),
    )
