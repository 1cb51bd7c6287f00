"""The plan, cell by cell

One column per model, one row per variant. A measured cell has its decode speed, tokens/s; pending, with reference,
has a figure from before this project; running is the plan's own word.
"""

import altair as alt

from site_src.charts_theme import SERIES, TEXT, in_order

view = "plan_matrix"
FAINT, FAINTER = "var(--md-default-fg-color--lighter)", "var(--md-default-fg-color--lightest)"
STATES = {
    "measured": SERIES[2],
    "running": SERIES[0],
    "pending, with reference": SERIES[4],
    "pending": FAINTER,
    "to find": SERIES[5],
    "unavailable": FAINT,
    "failed": SERIES[1],
}


def chart(rows: alt.InlineData) -> alt.TopLevelMixin:
    """A cell for each model and variant, its state in words, so that color is not all."""
    places, models = in_order(rows, "variant"), sorted(in_order(rows, "model"))
    base = alt.Chart(rows).encode(
        x=alt.X(
            "model:N",
            title=None,
            scale=alt.Scale(domain=models, paddingInner=0.02),
            axis=alt.Axis(orient="top", labelAngle=0, labelLimit=150, domain=False),
        ),
        y=alt.Y(
            "variant:N",
            title=None,
            scale=alt.Scale(domain=places, paddingInner=0.06),
            axis=alt.Axis(labelLimit=120, domain=False),
        ),
        tooltip=[
            alt.Tooltip("model:N"),
            alt.Tooltip("variant:N"),
            alt.Tooltip("state:N"),
            alt.Tooltip("decode_tps:Q", title="tokens/s", format=".2f"),
            alt.Tooltip("decode_tps_low:Q", title="from", format=".2f"),
            alt.Tooltip("decode_tps_high:Q", title="to", format=".2f"),
            alt.Tooltip("request_count:Q", title="requests"),
            alt.Tooltip("run_count:Q", title="runs"),
            alt.Tooltip("next_rank:Q", title="turn"),
            alt.Tooltip("reason:N", title="because"),
        ],
    )
    scale = alt.Scale(domain=list(STATES), range=list(STATES.values()))
    has_speed, words = "isValid(datum.decode_tps)", base.mark_text(fontSize=11, color=TEXT)
    speed = base.mark_text(fontSize=11, fontWeight=600, dy=8, color=TEXT)
    return alt.layer(
        base.mark_rect(stroke=FAINTER, strokeWidth=1, fillOpacity=0.25).encode(
            color=alt.Color("state:N", title=None, scale=scale, legend=None)
        ),
        words.encode(text=alt.Text("state:N")).transform_filter(f"!{has_speed}"),
        base.mark_text(fontSize=11, dy=-7, color=TEXT).encode(text=alt.Text("state:N")).transform_filter(has_speed),
        speed.encode(text=alt.Text("decode_tps:Q", format=".1f")).transform_filter(has_speed),
    ).properties(height=36 * len(places))
