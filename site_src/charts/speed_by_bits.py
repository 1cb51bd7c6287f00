"""Decode speed against bits

Each line is a model in a runtime, each mark a quantization with the 95 % interval of its speed. Bits are those of the
file, over all weights; nominal ones where its size is not known. The axis of bits does not begin at 0.
"""

import altair as alt

from site_src.charts_marks import curve

view = "quant_curve"
where = "decode_tps is not null and bits_per_weight is not null"


def chart(rows: alt.InlineData) -> alt.TopLevelMixin:
    """A line for each model and runtime."""
    layers = curve(
        rows,
        alt.X("bits_per_weight:Q", title="bits per weight", scale=alt.Scale(zero=False)),
        alt.Y("decode_tps:Q", title="decode, tokens/s", scale=alt.Scale(zero=True)),
        "decode_tps_low",
        "decode_tps_high",
        "series_name",
        ("label:N", "configuration", None),
        ("bits_per_weight:Q", "bits per weight", ".2f"),
        ("decode_tps:Q", "tokens/s", ".2f"),
        ("decode_tps_low:Q", "from", ".2f"),
        ("decode_tps_high:Q", "to", ".2f"),
        ("decode_run_count:Q", "runs", ","),
        ("interval_kind:N", "interval", None),
        ("request_count:Q", "requests", ","),
    )
    return alt.layer(*layers)
