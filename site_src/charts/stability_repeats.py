"""Every repeat

Each dot is one request of the newest three runs: how far its decode speed is from the median of its prompt in the
same configuration. Rings are requests that were left out of figures, crosses outliers, which count. Shaded is the
margin of 3 %; unstable and drifting configurations are named so.
"""

import altair as alt

from site_src.charts_theme import TEXT, band, in_order, line, runtime

view = "stability_repeats"


def chart(rows: alt.InlineData) -> alt.TopLevelMixin:
    """A strip for each configuration, a line in it for each of its runs."""
    places = in_order(rows, "configuration_name")
    base = alt.Chart(rows).encode(
        y=alt.Y(
            "configuration_name:N", title=None, scale=alt.Scale(domain=places), axis=alt.Axis(labelLimit=200, grid=True)
        ),
    )
    axis = alt.X("deviation_percent:Q", title="from the prompt's median, %", scale=alt.Scale(nice=True))
    dots = base.encode(
        x=axis,
        yOffset=alt.YOffset("run_number:O", sort="ascending"),
        color=runtime(rows),
        tooltip=[
            alt.Tooltip("configuration_name:N", title="configuration"),
            alt.Tooltip("prompt_id:N", title="prompt"),
            alt.Tooltip("run_number:Q", title="run"),
            alt.Tooltip("repeat:Q"),
            alt.Tooltip("deviation_percent:Q", title="from the median, %", format="+.2f"),
            alt.Tooltip("decode_tps:Q", title="tokens/s", format=".2f"),
            alt.Tooltip("median_tps:Q", title="median, tokens/s", format=".2f"),
            alt.Tooltip("repeat_count:Q", title="requests of this prompt"),
            alt.Tooltip("is_outlier:N", title="outlier"),
            alt.Tooltip("reason:N", title="left out because"),
        ],
    )
    firsts = base.transform_filter("datum.is_first")
    return alt.layer(
        band("x", -3, 3),
        line("x", 0),
        dots.transform_filter("datum.is_counted && !datum.is_outlier").mark_circle(size=40, opacity=0.6),
        dots.transform_filter("!datum.is_counted").mark_point(filled=False, size=40, opacity=0.9),
        dots.transform_filter("datum.is_outlier").mark_point(shape="cross", filled=True, size=60, opacity=0.9),
        firsts.transform_filter("datum.state")
        .mark_text(align="right", dx=-2, dy=-10, fontSize=10, fontWeight=600, color=TEXT)
        .encode(x=alt.value("width"), text=alt.Text("state:N")),
    ).properties(height=30 * len(places))
