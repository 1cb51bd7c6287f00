"""Speed against memory, quantization by quantization

The line joins the front of a model in a runtime: quantizations that none beats in both. Each mark has the 95 %
interval of its speed; faint ones are surely dominated, paler ones by the figures only. Behind its name stands the
quality gate: ✓ pass, ✗ fail, ! warn, ? unproven.
"""

import altair as alt

from site_src.charts_marks import tooltip
from site_src.charts_theme import bits, runtime

view = "quant_curve"
where = "peak_memory_gb is not null and decode_tps is not null"
STANDINGS = {"on the front": 1, "dominated, not surely": 0.6, "surely dominated": 0.3}


def chart(rows: alt.InlineData) -> alt.TopLevelMixin:
    """Marks with intervals and names, and the front behind them."""
    base = alt.Chart(rows).encode(
        x=alt.X("peak_memory_gb:Q", title="peak memory, GB", scale=alt.Scale(zero=True, nice=True)), color=runtime(rows)
    )
    y = alt.Y("decode_tps:Q", title="decode, tokens/s", scale=alt.Scale(zero=True, nice=True))
    faded = alt.Opacity(
        "standing:O", title=None, scale=alt.Scale(domain=list(STANDINGS), range=list(STANDINGS.values()))
    )
    front = (
        base.transform_filter("datum.standing == 'on the front'")
        .mark_line(strokeWidth=1.5, interpolate="step-after")
        .encode(y=y, detail=alt.Detail("series_name:N"), order=alt.Order("peak_memory_gb:Q"))
    )
    intervals = base.mark_rule(strokeWidth=2).encode(
        y=alt.Y("decode_tps_low:Q"), y2=alt.Y2("decode_tps_high:Q"), opacity=faded
    )
    marks = base.mark_point(filled=True, size=90).encode(
        y=y,
        shape=bits(rows),
        opacity=faded,
        tooltip=tooltip(
            ("label:N", "configuration", None),
            ("standing:N", "standing", None),
            ("dominated_by:N", "surely dominated by", None),
            ("decode_tps:Q", "tokens/s", ".2f"),
            ("decode_tps_low:Q", "from", ".2f"),
            ("decode_tps_high:Q", "to", ".2f"),
            ("peak_memory_gb:Q", "peak memory, GB", ".3f"),
            ("quality_gate:N", "quality", None),
            ("decode_run_count:Q", "runs", ","),
            ("interval_kind:N", "interval", None),
            ("request_count:Q", "requests", ","),
        ),
    )
    names = base.mark_text(align="left", dx=8, dy=-8).encode(y=y, text=alt.Text("mark:N"))
    return alt.layer(front, intervals, marks, names)
