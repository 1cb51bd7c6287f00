"""Decode speed of both sides

Each row is a pair of the same model and bits, each mark one side with its 95 % interval. This is no comparison:
whether the two may be compared, and what the ratio is then, the pair's verdict says.
"""

import altair as alt

from site_src.charts_theme import QUIET, bits, in_order, runtime

view = "framework_speeds"


def chart(rows: alt.InlineData) -> alt.TopLevelMixin:
    """A dumbbell for each pair."""
    places = in_order(rows, "pair")
    base = alt.Chart(rows).encode(
        y=alt.Y("pair:N", title=None, scale=alt.Scale(domain=places), axis=alt.Axis(labelLimit=200, grid=True)),
        tooltip=[
            alt.Tooltip("pair:N"),
            alt.Tooltip("runtime:N"),
            alt.Tooltip("server:N"),
            alt.Tooltip("decode_tps:Q", title="tokens/s", format=".2f"),
            alt.Tooltip("decode_tps_low:Q", title="from", format=".2f"),
            alt.Tooltip("decode_tps_high:Q", title="to", format=".2f"),
            alt.Tooltip("decode_count:Q", title="requests"),
            alt.Tooltip("decode_run_count:Q", title="runs"),
            alt.Tooltip("interval_kind:N", title="interval"),
            alt.Tooltip("verdict:N"),
            alt.Tooltip("reason:N", title="because"),
        ],
    )
    axis = alt.X("decode_tps:Q", title="decode, tokens/s", scale=alt.Scale(zero=True, nice=True))
    color = runtime(rows)
    return alt.layer(
        base.mark_line(color=QUIET, strokeWidth=1.5).encode(x=axis, detail=alt.Detail("pair:N")),
        base.mark_rule(strokeWidth=4, opacity=0.5).encode(
            x=alt.X("decode_tps_low:Q"), x2=alt.X2("decode_tps_high:Q"), color=color
        ),
        base.mark_point(filled=True, size=90, opacity=1).encode(x=axis, color=color, shape=bits(rows)),
    ).properties(height=30 * len(places))
