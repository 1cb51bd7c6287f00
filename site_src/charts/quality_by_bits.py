"""Quality against bits

Each mark is the share of judged prompts that a quantization passes, with Wilson's 95 % interval. With few prompts the
intervals are wide: overlapping ones decide nothing. The axis of bits does not begin at 0.
"""

import altair as alt

from site_src.charts_marks import curve

view = "quant_curve"
where = "passed_share is not null and bits_per_weight is not null and suite is distinct from 'reference'"


def chart(rows: alt.InlineData) -> alt.TopLevelMixin:
    """A line for each model and runtime."""
    layers = curve(
        rows,
        alt.X("bits_per_weight:Q", title="bits per weight", scale=alt.Scale(zero=False)),
        alt.Y("passed_share:Q", title="share of prompts passed", scale=alt.Scale(domain=[0, 1])),
        "passed_share_low",
        "passed_share_high",
        "series_name",
        ("label:N", "configuration", None),
        ("bits_per_weight:Q", "bits per weight", ".2f"),
        ("passed_count:Q", "prompts passed", ","),
        ("checked_count:Q", "of", ","),
        ("passed_share_low:Q", "share from", ".2f"),
        ("passed_share_high:Q", "to", ".2f"),
        ("quality_gate:N", "gate", None),
    )
    return alt.layer(*layers)
