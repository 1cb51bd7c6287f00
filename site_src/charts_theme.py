"""How every chart looks: the Vega-Lite `config`, with the page's colors left as CSS variables.

The browser resolves the variables (`assets/site.css`), so switching between light and dark recolors a drawn
chart without drawing it again. Two things follow. Colors that Vega has to mix (a continuous scale) cannot be
variables. And the font must be named: Vega measures text before it is on the page, where `inherit` means
nothing.
"""

from typing import Any

import altair as alt

FONT = '-apple-system, BlinkMacSystemFont, "Segoe UI", Roboto, Helvetica, Arial, sans-serif'
SERIES = [f"var(--chart-{number})" for number in range(1, 7)]
TEXT = "var(--md-default-fg-color)"
QUIET = "var(--md-default-fg-color--light)"
FAINT = "var(--md-default-fg-color--lightest)"

RUNTIMES = {"mlx": SERIES[0], "llama.cpp": SERIES[1], "vllm": SERIES[2], "unknown": QUIET}
SHAPES = {
    2: "triangle-down", 3: "triangle-left", 4: "circle", 5: "triangle-right", 6: "square", 8: "diamond", 16: "cross",
}  # fmt: skip


def runtime(rows: alt.InlineData, **more: Any) -> alt.Color:
    """The color of a runtime, the same on every page; the legend names those that are drawn."""
    there = _present(rows, "runtime", RUNTIMES)
    scale = alt.Scale(domain=there, range=[RUNTIMES.get(name, QUIET) for name in there])
    return alt.Color("runtime:N", title=None, scale=scale, **more)


def bits(rows: alt.InlineData, **more: Any) -> alt.Shape:
    """The shape of a nominal number of bits, the same on every page: equal shapes are like for like."""
    there = _present(rows, "bits", SHAPES)
    scale = alt.Scale(domain=there, range=[SHAPES.get(number, "stroke") for number in there])
    return alt.Shape("bits:O", title="bits", scale=scale, **more)


def in_order(rows: alt.InlineData, field: str) -> list[Any]:
    """The values of a field in the order of the rows: the domain of an axis that is so in all layers.

    As a `sort` they would become an expression, and names are somebody else's words.
    """
    return list(dict.fromkeys(row[field] for row in rows.values if isinstance(row, dict)))


def band(axis: str, low: float, high: float) -> alt.Chart:
    """What is shaded behind a chart from one value of an axis to another: drawn once, not once a row."""
    once: alt.Chart = alt.Chart(alt.sequence(0, 1)).mark_rect(color=FAINT)
    return once.encode(**{axis: alt.datum(low), f"{axis}2": alt.datum(high)})


def line(axis: str, at: float, **more: Any) -> alt.Chart:
    """A line across a chart at a value of an axis."""
    once: alt.Chart = alt.Chart(alt.sequence(0, 1)).mark_rule(color=QUIET, **more)
    return once.encode(**{axis: alt.datum(at)})


def _present(rows: alt.InlineData, field: str, known: dict[Any, str]) -> list[Any]:
    values = {row[field] for row in rows.values if isinstance(row, dict) and row[field] is not None}
    return [value for value in known if value in values] + sorted(values - known.keys())


def config() -> dict[str, Any]:
    """The `config` of a Vega-Lite spec; a chart's own settings win over it."""
    label = {"labelFont": FONT, "labelFontSize": 12, "labelColor": QUIET}
    title = {"titleFont": FONT, "titleFontSize": 12, "titleColor": TEXT, "titleFontWeight": 600}
    return {
        "background": "transparent",
        "padding": {"left": 0, "top": 4, "right": 4, "bottom": 0},
        "font": FONT,
        "view": {"stroke": None, "continuousHeight": 300, "discreteHeight": {"step": 26}},
        "axis": {
            **label,
            **title,
            "labelLimit": 170,
            "labelOverlap": "greedy",
            "titlePadding": 8,
            "gridColor": FAINT,
            "domainColor": QUIET,
            "tickColor": QUIET,
            "ticks": False,
            "labelPadding": 6,
        },
        "axisQuantitative": {"domain": False, "tickCount": 5},
        # A rotated title on the left costs a phone 20 of its 340 pixels; above the axis it reads level.
        "axisY": {"titleAngle": 0, "titleAlign": "left", "titleAnchor": "start", "titleY": -10, "titleX": 0},
        "legend": {
            **label,
            **title,
            "labelColor": TEXT,
            "labelLimit": 240,
            "orient": "top",
            "direction": "horizontal",
            "columns": {"expr": "width > 480 ? 4 : 2"},
            # Beside each other they would leave a phone.
            "layout": {"top": {"direction": {"signal": "width > 480 ? 'horizontal' : 'vertical'"}}},
            "offset": 26,  # room for axisY's title, which Vega does not count
            "symbolBaseFillColor": QUIET,
            "symbolBaseStrokeColor": QUIET,
            "symbolStrokeWidth": 2.5,
            "symbolSize": 90,
        },
        "header": {**label, **title},
        "title": {"font": FONT, "fontSize": 14, "fontWeight": 600, "color": TEXT, "anchor": "start"},
        "range": {
            "category": SERIES,
            "ordinal": SERIES,
            "ramp": {"scheme": "viridis"},
            "heatmap": {"scheme": "viridis"},
        },
        "mark": {"color": SERIES[0]},
        "line": {"strokeWidth": 2.5, "strokeCap": "round", "strokeJoin": "round"},
        "point": {"size": 55, "filled": True, "opacity": 1},
        "area": {"fillOpacity": 0.2, "line": False},
        "rule": {"color": QUIET},
        "text": {"font": FONT, "fontSize": 12, "color": TEXT},
        "errorbar": {"rule": {"strokeWidth": 1.5}},
    }
