"""Drawings that several charts share: a figure of each model on a line, and a figure along a scale with its range."""

import altair as alt

from site_src.charts_theme import FAINT, bits, runtime

# Long names stand above their line, within the drawing: beside it they would take most of a phone's width.
ABOVE = alt.Axis(
    labelAlign="left", labelPadding=-2, labelOffset=-20, labelLimit=0, labelBaseline="middle", domain=False, grid=False
)
LINE = 52  # pixels of a line with its name above it


def tooltip(*fields: tuple[str, str, str | None]) -> list[alt.Tooltip]:
    """Field with its type, title and format of each."""
    return [alt.Tooltip(name, title=title, **({"format": form} if form else {})) for name, title, form in fields]


def strip(rows: alt.InlineData, figure: str, title: str, *more: tuple[str, str, str | None]) -> alt.TopLevelMixin:
    """A line for each model, a mark for each of its configurations, with the interval of the figure."""
    base = alt.Chart(rows).encode(
        y=alt.Y("model_name:N", title=None, axis=ABOVE),
        # without a sort it takes the color's domain for one, and makes an expression of these names
        yOffset=alt.YOffset("runtime:N", sort="ascending"),
        color=runtime(rows),
    )
    scale = alt.Scale(zero=True, nice=True)
    intervals = base.mark_rule(strokeWidth=2).encode(
        x=alt.X(f"{figure}_low:Q", title=title, scale=scale), x2=f"{figure}_high:Q"
    )
    marks = base.mark_point(filled=True, size=90, opacity=1).encode(
        x=alt.X(f"{figure}:Q", title=title, scale=scale),
        shape=bits(rows),
        tooltip=tooltip(
            ("label:N", "configuration", None),
            (f"{figure}:Q", title, ".3f"),
            (f"{figure}_low:Q", "from", ".3f"),
            (f"{figure}_high:Q", "to", ".3f"),
            *more,
        ),
    )
    return alt.layer(intervals, marks).properties(height=alt.Step(LINE))


def curve(
    rows: alt.InlineData,
    x: alt.X,
    y: alt.Y,
    low: str,
    high: str,
    detail: str,
    *more: tuple[str, str, str | None],
) -> alt.TopLevelMixin:
    """A line for each `detail` through its marks, each with its range; models have dashes of their own."""
    base = alt.Chart(rows).encode(x=x, color=runtime(rows))
    dashes = alt.StrokeDash("model:N", title="model")
    lines = base.mark_line().encode(y=y, detail=f"{detail}:N", strokeDash=dashes)
    ranges = base.mark_rule(strokeWidth=2).encode(y=alt.Y(f"{low}:Q"), y2=f"{high}:Q")
    marks = base.mark_point(filled=True, size=80, opacity=1).encode(y=y, shape=bits(rows), tooltip=tooltip(*more))
    return alt.layer(lines, ranges, marks)


def margin() -> alt.Chart:
    """The 3 % around a ratio of 1 within which two are equivalent, and the line of 1."""
    one = alt.Chart(alt.InlineData(values=[{}]))
    band = one.mark_rect(color=FAINT, opacity=1).encode(x=alt.datum(0.97), x2=alt.datum(1.03))
    return alt.layer(band, one.mark_rule(strokeWidth=1).encode(x=alt.datum(1)))
