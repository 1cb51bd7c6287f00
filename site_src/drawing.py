"""A chart as Vega-Lite: for the browser, and for the picture in the page before, and without, JavaScript."""

import hashlib
import json
import re
from typing import Any

import altair as alt
from altair.utils.schemapi import debug_mode

from site_src import charts
from site_src.charts_theme import config
from site_src.words import Words

# One such character in an SVG, from a model's name, and vl-convert aborts the whole process. Separators of lines and of
# paragraphs (2028, 2029) end a text that Vega writes into code, as it does with the names of a fixed set of colors.
NOT_IN_XML = re.compile("[^\t\n\r\x20-\u2027\u202a-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
# Vega cuts what is too long between the halves of such a character, and vl-convert ends with an error at one half.
OF_TWO_HALVES = re.compile("[\U00010000-\U0010ffff]")
# Of these names every object has something, and Vega takes that for what it looks up. What is added has no width.
OF_EVERY_OBJECT = re.compile(
    "constructor|hasOwnProperty|isPrototypeOf|propertyIsEnumerable|toLocaleString|toString|valueOf|__[a-zA-Z]+__"
)
NO_WIDTH = "\u200b"
COMPOSED = ("facet", "hconcat", "vconcat", "concat")  # of panels, each with a size of its own
CATEGORIES = ("domain", "sort")  # where a chart names values of its data
CONDITIONS = ("filter", "test", "calculate")  # and where it compares them
COMPARED = re.compile(r"datum\.(\w+)\s*([!=]==?)\s*['\"]([^'\"]*)['\"]")
PLAIN = {float, int, bool}
STATIC_WIDTH = 640
LONGEST = 100  # characters of a text in a chart: drawing one of ten thousand takes minutes


def spec(chart: charts.Chart, rows: list[dict[str, Any]]) -> dict[str, Any]:
    """The chart of these rows, in English and without the look that all charts share."""
    with debug_mode(False):  # a test checks every chart against Vega-Lite's schema; each time it would take longest
        # a tuple: Altair copies lists again and again
        drawn = chart.draw(alt.InlineData(values=tuple(_readable(row) for row in rows)))
        made: dict[str, Any] = drawn.to_dict(validate=False)
    made = _without_unused(made)
    if not any(name in made for name in COMPOSED):
        made = {"height": 320, **made, "width": "container"}
    return made


def said(spec: dict[str, Any], words: Words) -> dict[str, Any]:
    """The chart with its words in that language, and with the look that all charts share."""
    return {**(spec if words.is_english else _translated(spec, words)), "config": config()}


def static(spec: dict[str, Any]) -> str:
    """What to draw for the page before, and without, JavaScript."""
    fixed = spec if any(name in spec for name in COMPOSED) else {**spec, "width": STATIC_WIDTH}
    return OF_TWO_HALVES.sub("\u25a1", json.dumps(fixed, ensure_ascii=False))


def _without_unused(spec: dict[str, Any]) -> dict[str, Any]:
    """Of the data only the columns that the chart names: the rest would be sent to every reader."""
    named = set(re.findall(r"\w+", json.dumps({name: part for name, part in spec.items() if name != "datasets"})))
    return {
        **spec,
        "datasets": {
            name: [{column: value for column, value in row.items() if column in named} for row in rows]
            for name, rows in spec["datasets"].items()
        },
    }


def _readable(row: dict[str, Any]) -> dict[str, Any]:
    """What Vega can read: a time with its zone left out would be local time."""
    return {name: _value(value) for name, value in row.items()}


def _value(value: Any) -> Any:
    if value is None or type(value) in PLAIN:  # nearly all of ten thousands
        return value
    if isinstance(value, str):
        return f"{value}{NO_WIDTH}" if OF_EVERY_OBJECT.fullmatch(value) else _short(NOT_IN_XML.sub("\ufffd", value))
    return value.isoformat() if hasattr(value, "isoformat") else value


def _short(text: str) -> str:
    """Two that begin alike stay two."""
    if len(text) <= LONGEST:
        return text
    return f"{text[:LONGEST]}… ({hashlib.sha256(text.encode()).hexdigest()[:6]})"


def _translated(part: Any, words: Words, key: str = "", field: str = "") -> Any:
    """Titles, and categories in data and scales, both by the same words, so that they still belong together."""
    if isinstance(part, dict):
        field = part.get("field", field)
        inner = "rows" if key == "datasets" else None
        made = {name: _translated(value, words, inner or name, field) for name, value in part.items()}
        # a tooltip without a title would be called by its column
        return {"title": words.named(field), **made} if key == "tooltip" and "field" in part else made
    if isinstance(part, list):
        if key in ("rows", "values"):
            return [_translated_row(row, words) for row in part]
        return [_translated(one, words, key if key in (*CATEGORIES, "tooltip") else "", field) for one in part]
    if not isinstance(part, str):
        return part
    if key == "title" or (key in CATEGORIES and words.is_prose(field)):
        return words.of_chart(part)
    return COMPARED.sub(lambda found: _compared(found, words), part) if key in CONDITIONS else part


def _compared(found: re.Match[str], words: Words) -> str:
    """A condition of the chart's data, which is translated, too."""
    column, sign, value = found.groups()
    return f"datum.{column} {sign} {json.dumps(words.of_chart(value))}" if words.is_prose(column) else found[0]


def _translated_row(row: Any, words: Words) -> Any:
    if not isinstance(row, dict):
        return row
    return {
        name: words.of_chart(value) if isinstance(value, str) and words.is_prose(name) else value
        for name, value in row.items()
    }
