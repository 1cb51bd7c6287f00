"""The pieces that pages name: a chart, a mart as a table, a single value. All of them HTML on lines of their own.

Everything from a view is escaped: names of models and texts of servers are somebody else's words.
"""

import json
import re
from html import escape
from typing import Any

import altair as alt
from markupsafe import Markup

from site_src import charts, figures, side_by_side
from site_src.charts_theme import config
from site_src.warehouse import VIEWS, Warehouse

# One such character in an SVG, from a model's name, and vl-convert aborts the whole process.
NOT_IN_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
LONGEST_TABLE = 500  # rows shown on a page; the download has them all


class Blocks:
    """Makes the blocks of one page. `root` leads from the page to the site's root: empty, or `../` and so on."""

    def __init__(self, warehouse: Warehouse, root: str, used: set[str]) -> None:
        self._warehouse = warehouse
        self._root = root
        self._used = used  # marts whose data the site must offer
        self._ones: dict[str, dict[str, Any]] = {}  # rows that were asked for: a page asks for one a dozen times

    def chart(self, name: str) -> Markup:
        """A chart with its caption, and under it its data, the SQL that made it and downloads."""
        chart = charts.read(name)
        rows = self._warehouse.rows(f"from {chart.view}")  # a chart file's own word
        if not rows:
            return _html(f'<p class="reason">{escape(chart.title)}: no data yet.</p>')
        spec = _spec(chart, rows)
        return _html(
            f'<figure class="chart" id="chart-{escape(name)}" data-spec="{escape(json.dumps(spec))}">'
            f'<div class="chart-box" role="img" aria-label="{escape(f"{chart.title}. {chart.caption}")}">'
            f"{_svg(spec)}</div>"
            f"<figcaption><strong>{escape(chart.title)}.</strong> {escape(chart.caption)}</figcaption>"
            f"{self._behind(chart.view, rows)}</figure>"
        )

    def table(self, view: str, columns: str, where: str = "true") -> Markup:
        """The named columns of a mart as a table, with the SQL that made it and downloads."""
        rows = self._warehouse.rows(f"select * from {view} where {where}")  # noqa: S608  # a page's own words
        if not rows:
            return _html('<p class="reason">No rows yet.</p>')
        return _html(f"{_table(rows, columns.split(), self._comments(view))}{self._source(view)}")

    def side_by_side(self, view: str) -> Markup:
        """The texts of a view, prompt by prompt, each in a card with what its checks say."""
        return _html(side_by_side.html(self._warehouse.rows(f"from {view}")))  # a page's own word

    def value(self, name: str) -> Markup:
        """`view.column` of a view with one row, with its unit."""
        view, column = name.split(".")
        row = self.one(view)
        unit = figures.unit_of(column) if row[column] is not None else ""
        return _words(" ".join(part for part in (figures.plain(column, row[column]), unit) if part))

    def counted(self, name: str, noun: str) -> Markup:
        """`view.column` with the noun it counts: 1 run, 2 runs."""
        view, column = name.split(".")
        count = self.one(view)[column]
        return _words(f"{figures.plain(column, count)} {noun}{'' if count == 1 else 's'}")

    def has(self, view: str) -> bool:
        """Whether a view has any row, to ask in a page's conditions."""
        return bool(self._warehouse.rows(f"select 1 from {view} limit 1"))  # noqa: S608  # a page's own word

    def one(self, view: str) -> dict[str, Any]:
        """The only row of a view, to ask in a page's conditions."""
        if view not in self._ones:
            rows = self._warehouse.rows(f"from {view}")  # a page's own word
            if len(rows) != 1:
                raise ValueError(f"{view} has {len(rows)} rows, not one")
            self._ones[view] = rows[0]
        return self._ones[view]

    def _behind(self, view: str, rows: list[dict[str, Any]]) -> str:
        shown = [name for name in rows[0] if not name.endswith(("_low", "_high", "_id"))]
        return (
            f"<details><summary>Data and SQL</summary>{_table(rows, shown, self._comments(view))}"
            f"{self._sql(view)}{self._downloads(view)}</details>"
        )

    def _source(self, view: str) -> str:
        behind = f"{self._sql(view)}{self._downloads(view)}"
        return f'<details class="source"><summary>SQL and downloads</summary>{behind}</details>'

    def _sql(self, view: str) -> str:
        path = next(VIEWS.rglob(f"{view}.sql"))
        sql, _, _ = path.read_text(encoding="utf-8").partition("\n\ncomment on ")
        return f'<pre class="sql"><code>{_lines(sql)}</code></pre>'

    def _downloads(self, view: str) -> str:
        self._used.add(view)
        links = (f'<a href="{self._root}data/{view}.{kind}" download>{label}</a>' for kind, label in DOWNLOADS)
        return f'<p class="downloads">Download {escape(view)}: {" · ".join(links)}</p>'

    def _comments(self, view: str) -> dict[str, str | None]:
        return self._warehouse.comments(view)


DOWNLOADS = (("csv", "CSV"), ("parquet", "Parquet"))


def _spec(chart: charts.Chart, rows: list[dict[str, Any]]) -> dict[str, Any]:
    for row in rows:  # Vega reads a time without a zone as local time
        row.update({name: value.isoformat() for name, value in row.items() if hasattr(value, "isoformat")})
        row.update({name: NOT_IN_XML.sub("\ufffd", value) for name, value in row.items() if isinstance(value, str)})
    drawn = chart.draw(alt.InlineData(values=rows))
    if not isinstance(drawn, alt.FacetChart):  # whose panels have a size of their own
        drawn = drawn.properties(width="container", height=320)
    spec: dict[str, Any] = drawn.to_dict()
    return {**spec, "config": config(), "description": f"{chart.title}. {chart.caption}"}


def _svg(spec: dict[str, Any]) -> str:
    """The chart as it stands in the page before, and without, JavaScript."""
    import vl_convert

    svg: str = vl_convert.vegalite_to_svg(spec if "facet" in spec else {**spec, "width": 640})
    return svg.replace("\n", " ")


def _table(rows: list[dict[str, Any]], columns: list[str], comments: dict[str, str | None]) -> str:
    head = "".join(
        f'<th scope="col"{_numeric(rows, name)} title="{escape(comments.get(name) or "")}">'
        f"{escape(figures.heading(name))}</th>"
        for name in columns
    )
    body = "".join(f"<tr>{''.join(_cell(row, name, rows) for name in columns)}</tr>" for row in rows[:LONGEST_TABLE])
    rest = len(rows) - LONGEST_TABLE
    more = f'<p class="reason">{rest:,} more rows are in the download.</p>' if rest > 0 else ""
    return f'<div class="data-table"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>{more}'


def _cell(row: dict[str, Any], name: str, rows: list[dict[str, Any]]) -> str:
    value = row[name]
    sortable = f' data-value="{escape(str(value))}"' if isinstance(value, int | float) else ""
    return f"<td{_numeric(rows, name)}{sortable}>{figures.with_interval(name, row)}</td>"


def _numeric(rows: list[dict[str, Any]], name: str) -> str:
    values = [row[name] for row in rows if row[name] is not None]
    is_number = bool(values) and all(isinstance(value, int | float) and not isinstance(value, bool) for value in values)
    return ' class="num"' if is_number else ""


def _lines(code: str) -> str:
    """Code as HTML on one line: a blank line would end the HTML block in Markdown."""
    return escape(code.strip()).replace("\n", "&#10;")


def _words(text: str) -> Markup:
    """Text in the middle of Markdown: whatever means something to Markdown or HTML becomes an entity."""
    return Markup("".join(char if char.isalnum() or char in " ,.%–" else f"&#{ord(char)};" for char in text))


def _html(text: str) -> Markup:
    """HTML as a block that Markdown leaves alone: on one line, blank lines around it."""
    return Markup(f"\n\n{text}\n\n")  # every piece was escaped where it was made
