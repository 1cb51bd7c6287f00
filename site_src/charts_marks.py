"""Drawings that several charts share: a figure of each model on a line, and a figure along a scale with its range."""

from typing import Any

import altair as alt

from site_src.charts_theme import bits, runtime

NAME = 24  # pixels of a name above its line: beside it a long one would take most of a phone's width
LANE = 22  # pixels of a runtime's marks within a line
DASHES = [[1, 0], [7, 5], [2, 3], [12, 3, 2, 3]]  # of models, in the order of their names
Shown = tuple[str, str, str | None]  # a tooltip's field with its type, its title, its format


def named_above(field: str, line: float, **more: Any) -> alt.Y:
    """Lines of so many pixels, each with its name above it, within the drawing."""
    axis = alt.Axis(
        labelAlign="left",
        labelPadding=-2,
        labelOffset=-line / 2 - NAME / 3,
        labelLimit=0,
        labelBaseline="middle",
        domain=False,
        grid=False,
    )
    share = NAME / (line + NAME)
    return alt.Y(f"{field}:N", title=None, axis=axis, scale=alt.Scale(paddingInner=share, paddingOuter=share), **more)


def tooltip(*fields: Shown) -> list[alt.Tooltip]:
    """What a mark says of itself."""
    return [alt.Tooltip(name, title=title, format=form or alt.Undefined) for name, title, form in fields]


def strip(rows: alt.InlineData, figure: str, title: str, *more: Shown) -> alt.TopLevelMixin:
    """A line for each model, a mark for each of its configurations, with the interval of the figure."""
    lanes = len({row["runtime"] for row in rows.values if isinstance(row, dict)})
    base = alt.Chart(rows).encode(
        y=named_above("model_name", LANE * lanes),
        # without a sort it takes the color's domain for one, and makes an expression of these names
        yOffset=alt.YOffset("runtime:N", sort="ascending"),
        color=runtime(rows),
    )
    scale = alt.Scale(zero=True, nice=True)
    intervals = base.mark_rule(strokeWidth=2).encode(
        x=alt.X(f"{figure}_low:Q", title=title, scale=scale), x2=alt.X2(f"{figure}_high:Q")
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
    return alt.layer(intervals, marks).properties(height=alt.Step(LANE, **{"for": "offset"}))


def curve(rows: alt.InlineData, x: alt.X, y: alt.Y, low: str, high: str, detail: str, *more: Shown) -> list[alt.Chart]:
    """Layers: a line for each `detail` through its marks, each with its range; models have dashes of their own."""
    base = alt.Chart(rows).encode(x=x, color=runtime(rows))
    dashes = alt.StrokeDash("model:N", title="model", scale=alt.Scale(range=DASHES))
    return [
        base.mark_line(strokeCap="butt").encode(y=y, detail=alt.Detail(f"{detail}:N"), strokeDash=dashes),
        base.mark_rule(strokeWidth=2).encode(y=alt.Y(f"{low}:Q"), y2=alt.Y2(f"{high}:Q")),
        base.mark_point(filled=True, size=80, opacity=1).encode(y=y, shape=bits(rows), tooltip=tooltip(*more)),
    ]
