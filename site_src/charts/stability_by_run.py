"""From the first run to the last

Each line is a configuration that was measured more than once: decode speed of each of its newest ten runs over that
of its first, with what its repeats say (95 %, within the run). A diamond marks a run under another version of server,
engine or system.
Shaded is the margin of 3 %; of those that end outside, the four farthest off are named. The axis does not begin at 0.
"""

import altair as alt

from site_src.charts_theme import band, line, runtime

view = "stability_by_run"


def chart(rows: alt.InlineData) -> alt.TopLevelMixin:
    """Lines over the number of the run: days between runs would squeeze those of one day."""
    base = alt.Chart(rows).encode(x=alt.X("run_number:O", title="run", axis=alt.Axis(labelAngle=0)))
    axis = alt.Y("first_run_ratio:Q", title="decode, this run / first run", scale=alt.Scale(zero=False, nice=True))
    lines = base.encode(
        color=runtime(rows),
        detail=alt.Detail("configuration_id:N"),
        tooltip=[
            alt.Tooltip("configuration_name:N", title="configuration"),
            alt.Tooltip("run_number:Q", title="run"),
            alt.Tooltip("run_started_at:T", title="began", format="%Y-%m-%d %H:%M"),
            alt.Tooltip("first_run_ratio:Q", title="over the first run", format=".3f"),
            alt.Tooltip("first_run_ratio_low:Q", title="from", format=".3f"),
            alt.Tooltip("first_run_ratio_high:Q", title="to", format=".3f"),
            alt.Tooltip("decode_tps:Q", title="tokens/s", format=".2f"),
            alt.Tooltip("decode_count:Q", title="requests"),
            alt.Tooltip("version:N", title="versions"),
        ],
    )
    return alt.layer(
        band("y", 0.97, 1.03),
        line("y", 1),
        lines.mark_rule(strokeWidth=1.5, opacity=0.6).encode(
            y=alt.Y("first_run_ratio_low:Q"), y2=alt.Y2("first_run_ratio_high:Q")
        ),
        lines.mark_line(strokeWidth=1.5, opacity=0.7).encode(y=axis),
        lines.transform_filter("!datum.is_new_version").mark_circle(size=45, opacity=1).encode(y=axis),
        lines.transform_filter("datum.is_new_version")
        .mark_point(shape="diamond", filled=True, size=140, opacity=1)
        .encode(y=axis),
        base.transform_filter("datum.is_named")
        .mark_text(align="right", dx=-8, dy=-8, fontSize=10)
        .encode(y=axis, text=alt.Text("configuration_name:N")),
    )
