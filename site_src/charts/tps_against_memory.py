"""Decode speed against peak memory

Each dot is one configuration, its line the 95 % interval of the speed. Up and to the left is better: faster, smaller.
"""

import altair as alt

view = "tps_per_gb"


def chart(rows: alt.InlineData) -> alt.TopLevelMixin:
    """A dot with its interval for each configuration."""
    base = alt.Chart(rows).encode(
        x=alt.X("peak_memory_gb:Q", title="peak memory, GB", scale=alt.Scale(zero=True, nice=True)),
        color=alt.Color("runtime:N", title=None, legend=alt.Legend(orient="top")),
    )
    speed = alt.Scale(zero=True, nice=True)
    intervals = base.mark_rule(strokeWidth=2).encode(
        y=alt.Y("decode_tps_low:Q", title="decode, tokens/s", scale=speed), y2="decode_tps_high:Q"
    )
    dots = base.mark_circle(size=90).encode(
        y=alt.Y("decode_tps:Q"),
        tooltip=[
            alt.Tooltip("label:N", title="configuration"),
            alt.Tooltip("decode_tps:Q", title="tokens/s", format=".2f"),
            alt.Tooltip("peak_memory_gb:Q", title="peak memory, GB", format=".2f"),
            alt.Tooltip("peak_memory_kind:N", title="memory is"),
            alt.Tooltip("request_count:Q", title="requests"),
        ],
    )
    labels = base.mark_text(align="left", dx=8, dy=-8).encode(y=alt.Y("decode_tps:Q"), text="quantization:N")
    return alt.layer(intervals, dots, labels)
