"""Decode speed of every configuration

Each mark is a configuration with its 95 % interval, in which it lies on another day, the fastest at the top; color is
the runtime, shape the nominal bits.
"""

import altair as alt

from site_src.charts_theme import bits, in_order, runtime

view = "decode_by_configuration"


def chart(rows: alt.InlineData) -> alt.TopLevelMixin:
    """A line for each configuration."""
    places = in_order(rows, "configuration_name")
    color = runtime(rows)
    base = alt.Chart(rows).encode(
        y=alt.Y(
            "configuration_name:N", title=None, scale=alt.Scale(domain=places), axis=alt.Axis(labelLimit=220, grid=True)
        ),
        color=color,
        tooltip=[
            alt.Tooltip("configuration_name:N", title="configuration"),
            alt.Tooltip("decode_tps:Q", title="tokens/s", format=".2f"),
            alt.Tooltip("decode_tps_low:Q", title="from", format=".2f"),
            alt.Tooltip("decode_tps_high:Q", title="to", format=".2f"),
            alt.Tooltip("decode_count:Q", title="requests"),
            alt.Tooltip("decode_run_count:Q", title="runs"),
            alt.Tooltip("interval_kind:N", title="interval"),
            alt.Tooltip("server:N"),
            alt.Tooltip("suite:N"),
        ],
    )
    axis = alt.X("decode_tps:Q", title="decode, tokens/s", scale=alt.Scale(zero=True, nice=True))
    return alt.layer(
        base.mark_rule(strokeWidth=2).encode(x=alt.X("decode_tps_low:Q"), x2=alt.X2("decode_tps_high:Q")),
        base.mark_point(filled=True, size=90, opacity=1).encode(x=axis, shape=bits(rows)),
    ).properties(height=24 * len(places))
