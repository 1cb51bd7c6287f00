"""Joules for each token of every configuration

Each mark is a configuration with its 95 % interval, the least energy at the top; color is the runtime, shape the
nominal bits. These are the chip's own counters, less what flows at rest, and not what the wall delivers.
"""

import altair as alt

from site_src.charts_marks import tooltip
from site_src.charts_theme import bits, in_order, runtime

view = "energy"
where = "decode_j_per_token is not null"


def chart(rows: alt.InlineData) -> alt.TopLevelMixin:
    """A line for each configuration."""
    places = in_order(rows, "configuration_name")
    base = alt.Chart(rows).encode(
        y=alt.Y(
            "configuration_name:N", title=None, scale=alt.Scale(domain=places), axis=alt.Axis(labelLimit=220, grid=True)
        ),
        color=runtime(rows),
        tooltip=tooltip(
            ("configuration_name:N", "configuration", None),
            ("decode_j_per_token:Q", "joules for each token", ".3f"),
            ("decode_j_per_token_low:Q", "from", ".3f"),
            ("decode_j_per_token_high:Q", "to", ".3f"),
            ("energy_kind:N", "joules of", None),
            ("energy_request_count:Q", "requests", ","),
            ("energy_run_count:Q", "runs", ","),
            ("interval_kind:N", "interval", None),
        ),
    )
    axis = alt.X("decode_j_per_token:Q", title="decode, joules for each token", scale=alt.Scale(zero=True, nice=True))
    return alt.layer(
        base.mark_rule(strokeWidth=2).encode(
            x=alt.X("decode_j_per_token_low:Q"), x2=alt.X2("decode_j_per_token_high:Q")
        ),
        base.mark_point(filled=True, size=90, opacity=1).encode(x=axis, shape=bits(rows)),
    ).properties(height=24 * len(places))
