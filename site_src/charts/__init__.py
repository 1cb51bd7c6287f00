"""One file a chart: its docstring is title and caption, `view` the mart it draws, `chart(rows)` the drawing.

A chart of some rows of its mart has a condition, `where`: no rows means no data yet, and no empty axes.
"""

import importlib
import inspect
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import altair as alt

Rows = list[dict[str, Any]]
FOLDER = Path(__file__).parent
_read: dict[str, bytes] = {}  # the source that each module was read from last


@dataclass(frozen=True)
class Chart:
    """A chart file, read. Raises nothing until it draws."""

    name: str
    title: str
    caption: str
    view: str
    where: str
    draw: Callable[[alt.InlineData], alt.TopLevelMixin]


def names() -> list[str]:
    """The charts there are."""
    return sorted(path.stem for path in FOLDER.glob("[a-z]*.py"))


def read(name: str) -> Chart:
    """The chart of that name. Raises KeyError when there is none."""
    if name not in names():
        raise KeyError(f"no chart {name!r} in {FOLDER.name}/; there are: {', '.join(names())}")
    module = _module(name)
    title, _, caption = inspect.cleandoc(module.__doc__ or "").partition("\n\n")
    where = getattr(module, "where", "true")
    return Chart(name, title, " ".join(caption.split()), module.view, where, module.chart)


def _module(name: str) -> ModuleType:
    """The file as it is now: edits show without a restart. A module is one object, whatever was read into it last."""
    source = (FOLDER / f"{name}.py").read_bytes()
    module = importlib.import_module(f"site_src.charts.{name}")
    if _read.get(name) != source:
        _read[name] = source
        importlib.reload(module)
    return module
