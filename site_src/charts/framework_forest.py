"""MLX over llama.cpp

Each mark is a ratio with its 95 % interval, each band a pair of the same model and bits. A color says who is better
by the verdict; shaded is the margin of 3 %. The axis is logarithmic around 1, which is equal, and does not begin at
0.
"""

import altair as alt

from site_src.charts_theme import QUIET, RUNTIMES, TEXT, band, in_order, line

view = "framework_forest"
FIGURES = ["decode", "TTFT", "memory", "load time"]
AHEAD = {"MLX": RUNTIMES["mlx"], "llama.cpp": RUNTIMES["llama.cpp"], "level": TEXT, "undecided": QUIET}


def chart(rows: alt.InlineData) -> alt.TopLevelMixin:
    """A band for each pair, a line in it for each figure; the figure's name stands over its mark."""
    places = in_order(rows, "pair")
    axis = alt.X("ratio:Q", title="MLX / llama.cpp", scale=alt.Scale(type="log", nice=False, padding=28))
    base = alt.Chart(rows).encode(
        y=alt.Y("pair:N", title=None, scale=alt.Scale(domain=places), axis=alt.Axis(labelLimit=200)),
        yOffset=alt.YOffset("figure:N", sort=FIGURES, scale=alt.Scale(paddingInner=0, paddingOuter=0)),
        tooltip=[
            alt.Tooltip("pair:N"),
            alt.Tooltip("figure:N"),
            alt.Tooltip("ratio:Q", format=".3f"),
            alt.Tooltip("ratio_low:Q", title="from", format=".3f"),
            alt.Tooltip("ratio_high:Q", title="to", format=".3f"),
            alt.Tooltip("verdict:N"),
            alt.Tooltip("runs_a_side:Q", title="runs a side"),
            alt.Tooltip("interval_kind:N", title="interval"),
            alt.Tooltip("observation_count:Q", title="n"),
            alt.Tooltip("observation_kind:N", title="n is"),
        ],
    )
    scale = alt.Scale(domain=list(AHEAD), range=list(AHEAD.values()))
    colored = base.encode(color=alt.Color("ahead:N", title="better", scale=scale))
    return alt.layer(
        band("x", 0.97, 1.03),
        line("x", 1),
        colored.mark_rule(strokeWidth=2).encode(x=alt.X("ratio_low:Q"), x2=alt.X2("ratio_high:Q")),
        colored.mark_point(filled=True, size=70).encode(x=axis),
        base.mark_text(dy=-10, fontSize=10).encode(x=alt.X("ratio:Q"), text=alt.Text("figure:N")),
    ).properties(height=92 * len(places))
