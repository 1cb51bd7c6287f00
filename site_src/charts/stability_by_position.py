"""Within a run

Each dot is one request of the newest three runs: how far its decode speed is from the median of its prompt in the
same run, in the order of asking. A machine that warms up or fills its memory would lean to one side. Runs that change
steadily are drawn as lines.
"""

import altair as alt

from site_src.charts_theme import band, line, runtime

view = "stability_repeats"


def chart(rows: alt.InlineData) -> alt.TopLevelMixin:
    """Dots over the place of the request in its run."""
    base = alt.Chart(rows).encode(
        x=alt.X("position:Q", title="place of the request in its run", scale=alt.Scale(zero=True, nice=False)),
        y=alt.Y("run_deviation_percent:Q", title="from the prompt's median in the run, %"),
        color=runtime(rows),
        tooltip=[
            alt.Tooltip("configuration_name:N", title="configuration"),
            alt.Tooltip("run_number:Q", title="run"),
            alt.Tooltip("position:Q", title="place"),
            alt.Tooltip("prompt_id:N", title="prompt"),
            alt.Tooltip("run_deviation_percent:Q", title="from the median, %", format="+.2f"),
            alt.Tooltip("decode_tps:Q", title="tokens/s", format=".2f"),
        ],
    )
    return alt.layer(
        band("y", -3, 3),
        line("y", 0),
        base.transform_filter("datum.is_run_drifting").mark_line(strokeWidth=1.5).encode(detail=alt.Detail("run_id:N")),
        base.mark_circle(size=35, opacity=0.55),
    )
