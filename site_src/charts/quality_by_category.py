"""What became of each kind of prompt, by model

Each bar is all builds of a model, a build being a quantization in a runtime: the share in which most outputs pass,
fail or are broken. Agrees and differs are of a puzzle that can be read in two ways.
"""

import altair as alt

from site_src.charts.quality_by_prompt import SHADES
from site_src.charts_marks import tooltip
from site_src.charts_theme import TEXT

view = "quality_by_category"


def chart(rows: alt.InlineData) -> alt.TopLevelMixin:
    """A stacked bar for each kind of prompt and model, the model's name above it."""
    base = alt.Chart(rows).encode(y=alt.Y("prompt_kind:N", title=None), yOffset=alt.YOffset("model:N"))
    share = alt.X("build_share:Q", title="share of builds", stack="zero", scale=alt.Scale(domain=[0, 1]))
    scale = alt.Scale(domain=list(SHADES), range=list(SHADES.values()))
    bars = base.mark_bar(size=12, stroke="var(--md-default-bg-color)", opacity=0.75).encode(
        x=share,
        color=alt.Color("verdict:N", title=None, scale=scale),
        tooltip=tooltip(
            ("model:N", "model", None),
            ("prompt_kind:N", "prompt", None),
            ("verdict:N", "verdict", None),
            ("build_count:Q", "builds", ","),
            ("all_build_count:Q", "of", ","),
            ("judged_count:Q", "answers judged", ","),
        ),
    )
    named = base.transform_filter("isValid(datum.name_shown)")
    names = named.mark_text(align="left", dy=-12, fontSize=11, color=TEXT).encode(
        x=alt.XDatum(0), text=alt.Text("name_shown:N")
    )
    return alt.layer(bars, names).properties(height=alt.Step(34, **{"for": "offset"}))
