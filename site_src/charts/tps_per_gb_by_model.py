"""Decode speed for each GB, by model

Decode speed over peak memory; the line is the interval of the speed. No ranking: it nearly always favors the smallest
quantization, whatever its answers are worth.
"""

import altair as alt

from site_src.charts_marks import strip

view = "model_figures"
where = "tps_per_gb is not null"


def chart(rows: alt.InlineData) -> alt.TopLevelMixin:
    """A line for each model."""
    return strip(
        rows,
        "tps_per_gb",
        "tokens/s for each GB of peak memory",
        ("peak_memory_gb:Q", "peak memory, GB", ".3f"),
        ("peak_memory_kind:N", "memory is", None),
        ("request_count:Q", "requests", ","),
    )
