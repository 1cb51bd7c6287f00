"""How much repeats differ on both sides

The coefficient of variation of decode speed over the repeats of a prompt, with its 95 % interval. Up to 2 % is
stable, up to 5 % acceptable; both are marked.
"""

import altair as alt

from site_src.charts_theme import in_order, line, runtime

view = "framework_steadiness"


def chart(rows: alt.InlineData) -> alt.TopLevelMixin:
    """Two lines for each pair, one a runtime."""
    places = in_order(rows, "pair")
    base = alt.Chart(rows).encode(
        y=alt.Y("pair:N", title=None, scale=alt.Scale(domain=places), axis=alt.Axis(labelLimit=200)),
        yOffset=alt.YOffset("runtime:N", sort=["mlx", "llama.cpp"]),
        tooltip=[
            alt.Tooltip("pair:N"),
            alt.Tooltip("runtime:N"),
            alt.Tooltip("cv:Q", title="CV", format=".2%"),
            alt.Tooltip("cv_low:Q", title="from", format=".2%"),
            alt.Tooltip("cv_high:Q", title="to", format=".2%"),
            alt.Tooltip("grade:N"),
            alt.Tooltip("cv_request_count:Q", title="requests"),
            alt.Tooltip("run_count:Q", title="runs"),
        ],
    )
    axis = alt.X("cv:Q", title="CV of decode speed", axis=alt.Axis(format="~%"), scale=alt.Scale(zero=True))
    color = runtime(rows)
    return alt.layer(
        line("x", 0.02, strokeDash=[4, 4]),
        line("x", 0.05, strokeDash=[4, 4]),
        base.mark_rule(strokeWidth=2).encode(x=alt.X("cv_low:Q"), x2=alt.X2("cv_high:Q"), color=color),
        base.mark_point(filled=True, size=70, opacity=1).encode(x=axis, color=color),
    ).properties(height=36 * len(places))
