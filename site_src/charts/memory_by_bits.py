"""Peak memory against bits

Each mark is the highest peak of a quantization's runs, its line reaches down to the lowest. Bits are those of the
file, over all weights; nominal ones where its size is not known. The axis of bits does not begin at 0.
"""

import altair as alt

from site_src.charts_marks import curve

view = "quant_curve"
where = "peak_memory_gb is not null and bits_per_weight is not null"


def chart(rows: alt.InlineData) -> alt.TopLevelMixin:
    """A line for each model and runtime."""
    layers = curve(
        rows,
        alt.X("bits_per_weight:Q", title="bits per weight", scale=alt.Scale(zero=False)),
        alt.Y("peak_memory_gb:Q", title="peak memory, GB", scale=alt.Scale(zero=True)),
        "peak_memory_gb_min",
        "peak_memory_gb",
        "series_name",
        ("label:N", "configuration", None),
        ("bits_per_weight:Q", "bits per weight", ".2f"),
        ("peak_memory_gb:Q", "highest, GB", ".3f"),
        ("peak_memory_gb_min:Q", "lowest, GB", ".3f"),
        ("peak_memory_kind:N", "memory is", None),
        ("peak_memory_count:Q", "runs", ","),
    )
    return alt.layer(*layers)
