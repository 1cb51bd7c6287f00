"""Decode speed by model

One line per model, with its weights in all and those used for a token; one mark per quantization and runtime, with
its 95 % interval. Tokens of two tokenizers are not the same amount of text.
"""

import altair as alt

from site_src.charts_marks import strip

view = "model_figures"
where = "decode_tps is not null"


def chart(rows: alt.InlineData) -> alt.TopLevelMixin:
    """A line for each model."""
    return strip(
        rows,
        "decode_tps",
        "decode, tokens/s",
        ("quality_gate:N", "quality", None),
        ("decode_run_count:Q", "runs", ","),
        ("interval_kind:N", "interval", None),
        ("request_count:Q", "requests", ","),
    )
