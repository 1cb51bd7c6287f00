"""Decode speed against peak memory

Each mark is one configuration, its line the 95 % interval of the speed; color is the runtime, shape the nominal bits.
Up and to the left is better: faster, smaller.
"""

import altair as alt

from site_src.charts_theme import bits, runtime

view = "tps_per_gb"
where = "decode_tps is not null and peak_memory_gb is not null"


def chart(rows: alt.InlineData) -> alt.TopLevelMixin:
    """A mark with its interval for each configuration."""
    base = alt.Chart(rows).encode(
        x=alt.X("peak_memory_gb:Q", title="peak memory, GB", scale=alt.Scale(zero=True, nice=True)),
        color=runtime(rows),
    )
    speed = alt.Scale(zero=True, nice=True)
    intervals = base.mark_rule(strokeWidth=2).encode(
        y=alt.Y("decode_tps_low:Q", title="decode, tokens/s", scale=speed), y2=alt.Y2("decode_tps_high:Q")
    )
    marks = base.mark_point(filled=True, size=90, opacity=1).encode(
        y=alt.Y("decode_tps:Q"),
        shape=bits(rows),
        tooltip=[
            alt.Tooltip("label:N", title="configuration"),
            alt.Tooltip("decode_tps:Q", title="tokens/s", format=".2f"),
            alt.Tooltip("decode_tps_low:Q", title="from", format=".2f"),
            alt.Tooltip("decode_tps_high:Q", title="to", format=".2f"),
            alt.Tooltip("peak_memory_gb:Q", title="peak memory, GB", format=".2f"),
            alt.Tooltip("peak_memory_kind:N", title="memory is"),
            alt.Tooltip("decode_run_count:Q", title="runs"),
            alt.Tooltip("interval_kind:N", title="interval"),
            alt.Tooltip("request_count:Q", title="requests"),
        ],
    )
    labels = base.mark_text(align="left", dx=8, dy=-8).encode(y=alt.Y("decode_tps:Q"), text=alt.Text("quantization:N"))
    return alt.layer(intervals, marks, labels)
