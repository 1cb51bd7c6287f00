"""Two models as ratios

First model over the second, at the same runtime and bits: each mark is a ratio, its line the 95 % interval. Shaded:
within 3 %, which counts as equal. Decode above 1 is faster; TTFT, memory and load time below 1 are less. The axis is
logarithmic and does not begin at 0.
"""

import altair as alt

from site_src.charts_marks import NAME, named_above, tooltip
from site_src.charts_theme import band, bits, line, runtime

view = "model_ratios"
LINE = 12


def chart(rows: alt.InlineData) -> alt.TopLevelMixin:
    """A line for each ratio, over the margin."""
    base = alt.Chart(rows).encode(y=named_above("line_name", LINE, sort=None), color=runtime(rows))
    scale = alt.Scale(type="log", nice=False, padding=12)
    intervals = base.mark_rule(strokeWidth=2).encode(
        x=alt.X("figure_ratio_low:Q", title="ratio, first model over the second", scale=scale),
        x2=alt.X2("figure_ratio_high:Q"),
    )
    marks = base.mark_point(filled=True, size=90, opacity=1).encode(
        x=alt.X("figure_ratio:Q", title="ratio, first model over the second", scale=scale),
        shape=bits(rows),
        tooltip=tooltip(
            ("figure:N", "figure", None),
            ("model:N", "first model", None),
            ("other_model:N", "second model", None),
            ("figure_ratio:Q", "ratio", ".3f"),
            ("figure_ratio_low:Q", "from", ".3f"),
            ("figure_ratio_high:Q", "to", ".3f"),
            ("verdict:N", "verdict", None),
            ("sample_count:Q", "samples", ","),
            ("sample_kind:N", "samples are", None),
            ("runs_a_side:Q", "runs a side", None),
        ),
    )
    return alt.layer(band("x", 0.97, 1.03), line("x", 1), intervals, marks).properties(height=alt.Step(LINE + NAME))
