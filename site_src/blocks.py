"""The pieces that pages name: a chart, a mart as a table, a single value. All of them HTML on lines of their own.

Everything from a view is escaped: names of models and texts of servers are somebody else's words.
"""

import json
from html import escape
from typing import Any

from markupsafe import Markup

from site_src import (
    charts,
    compare,
    data_table,
    decide,
    decide_html,
    decide_svg,
    dictionary,
    downloads,
    drawing,
    report,
    side_by_side,
)
from site_src.here import Here, html
from site_src.place import Place
from site_src.warehouse import VIEWS, Warehouse
from site_src.words import Words

ON_PAGES = (
    *("chart", "table", "facts", "side_by_side", "compare", "columns", "marts", "address", "path_to", "path_to_file"),
    *("tree_picture", "tree", "chooser", "value", "counted", "has", "one", "each"),
)
CONTRIBUTED = "select machine, contributor from machines where contributor is not null order by place"
DOWNLOADS = (("csv", "CSV"), ("parquet", "Parquet"))


class Blocks:
    """Makes the blocks of one page, in one language.

    `used` gathers the marts whose data the site must offer. On the page of a row, `only` is the column it is named by
    and its value: of a view that has this column only such rows are shown.
    """

    def __init__(
        self, warehouse: Warehouse, place: Place, used: set[str], words: Words, only: tuple[str, str] | None = None
    ) -> None:
        self._warehouse, self._place, self._used, self._words, self._only = warehouse, place, used, words, only
        self._ones: dict[str, Here] = {}  # rows that were asked for: a page asks for one a dozen times
        self._pages: set[str] | None = None  # configurations that have a page
        self._reports: set[str] | None = None
        self._known: list[str] | None = None  # machines, the one shown first first

    def chart(self, name: str) -> Markup:
        """A chart with its caption, once per machine; under it its data, the SQL that made it and downloads."""
        chart = charts.read(name)
        rows = self._rows(chart.view, chart.where)
        said = self._words.charts.get(name, {})
        title, caption = said.get("title", chart.title), said.get("caption", chart.caption)
        if not rows:
            return html(f'<p class="reason">{escape(self._words.block("no_chart", title=title))}</p>')
        of_each = {row.get("machine") for row in rows}
        ordered = [None] if of_each == {None} else [name for name in (*self._machines(), None) if name in of_each]
        drawn = [
            self._figure(chart, name, title, caption, [row for row in rows if row.get("machine") == machine], number)
            for number, machine in enumerate(ordered)
        ]
        return html("".join(drawn))

    def table(self, view: str, columns: str, where: str = "true", newest: int | None = None) -> Markup:
        """The named columns of a mart as a table, with the SQL that made it and downloads; how many rows are left out.

        `newest`: on a configuration's page, only of so many of its runs, at most ten.
        """
        rows = self._rows(view, where, data_table.LONGEST, newest)
        if not rows:
            return html(f'<p class="reason">{escape(self._words.block("no_rows"))}</p>')
        rest = 0
        if newest or len(rows) == data_table.LONGEST:
            query, values = self._asked("1", view, where, None)
            rest = self._warehouse.table(query, **values).num_rows - len(rows)
        made = self._table(view, rows, columns.split(), rest)
        return html(f"{made}{self._source(view)}")

    def facts(self, view: str, columns: str) -> Markup:
        """The named columns of the only row, one below the other, with the SQL that made it and downloads."""
        [row] = self._rows(view)
        made = data_table.facts(row, columns.split(), self._comments(view), self._words)
        return html(f"{made}{self._source(view)}")

    def side_by_side(self, view: str) -> Markup:
        """The texts of a view, prompt by prompt, each in a card with what its checks say."""
        return html(side_by_side.html(self._rows(view), self._words))

    def compare(self, view: str, where: str = "true") -> Markup:
        """Two choices, and what a view of pairs says of the two beside each other; needs JavaScript."""
        return html(compare.html(self._rows(view, where), self._words, self._page_of))

    def columns(self, scope: str) -> Markup:
        """What the columns of a run file mean, those about the run or those about an operation."""
        return html(dictionary.columns(scope, self._words))

    def marts(self) -> Markup:
        """Every mart: what a row of it is, what its columns mean, downloads."""
        return html(dictionary.marts(self._warehouse, self._words, self._downloads))

    def address(self) -> str:
        """Where the site is published."""
        return self._place.address

    def path_to(self, page: str) -> str:
        """The relative address of another page."""
        return self._place.page(page)

    def path_to_file(self, name: str) -> str:
        """The relative address of one of the site's files."""
        return self._place.file(name)

    def tree_picture(self, view: str) -> Markup:
        """The decision tree over the leaves of a view, drawn."""
        return html(decide_svg.pictures(self._rows(view), decide.read(self._words)))

    def tree(self, view: str) -> Markup:
        """The same as nested lists, with the SQL that made its leaves and downloads."""
        script = decide.read(self._words)
        made = decide_html.trees(self._rows(view), script, lambda row: self._page_of(row["configuration_id"]))
        return html(f"{made}{self._source(view)}")

    def chooser(self, view: str) -> Markup:
        """Lists to choose from, which lead to a leaf of that tree; nothing without JavaScript."""
        return html(decide_html.choosers(self._rows(view), decide.read(self._words)))

    def contributed(self) -> Markup:
        """Of each machine here that others say to have: that its figures are not this repository's.

        On the page of a row it is said whichever machine the reader has chosen: all the page is of that one.
        """
        own = {self.one(view)["machine"] for view in self._ones if self._only and "machine" in self._comments(view)}
        rows = [row for row in self._warehouse.rows(CONTRIBUTED) if not self._only or row["machine"] in own]
        told = [
            f'<p class="contributed"{"" if self._only else data_table.of_machine(row)}>'
            f"{escape(self._words.block('contributed', contributor=row['contributor']))}</p>"
            for row in rows
        ]
        return html("".join(told)) if told else Markup()

    def value(self, name: str) -> Markup:
        """`view.column` of a view with one row, with its unit."""
        view, column = name.split(".")
        return self.one(view).value(column)

    def counted(self, name: str, noun: str) -> Markup:
        """`view.column` with the noun it counts: 1 run, 2 runs."""
        view, column = name.split(".")
        return self.one(view).counted(column, noun)

    def has(self, view: str) -> bool:
        """Whether a view has any row, to ask in a page's conditions."""
        return bool(self._rows(view, most=1))

    def one(self, view: str) -> Here:
        """The only row of a view, to ask in a page's conditions."""
        if view not in self._ones:
            rows = self.each(view)
            if len(rows) != 1:
                raise ValueError(f"{view} has {len(rows)} rows, not one")
            self._ones[view] = rows[0]
        return self._ones[view]

    def each(self, view: str) -> list[Here]:
        """The rows of a view, one after the other: mostly a machine each."""
        return [Here(row, self._words) for row in self._rows(view)]

    def _rows(
        self, view: str, where: str = "true", most: int | None = None, newest: int | None = None
    ) -> list[dict[str, Any]]:
        query, values = self._asked("*", view, where, newest)
        return self._warehouse.rows(f"{query} limit {most}" if most else query, **values)

    def _asked(self, what: str, view: str, where: str, newest: int | None) -> tuple[str, dict[str, Any]]:
        """A query, and the values of the names in it."""
        query = f"select {what} from {view} where ({where})"  # noqa: S608  # a page's, or a chart file's, own words
        values: dict[str, Any] = {}
        if self._only and self._only[0] in self._comments(view):
            query, values["value"] = f"{query} and {self._only[0]} = $value", self._only[1]  # a file's name
        if newest:  # a list, not a join, which may change the order of rows
            query, values["newest"] = f"{query} and list_contains($newest, run_id)", self._newest(newest)
        return query, values

    def _newest(self, count: int) -> list[str]:
        """The runs of this page's configuration, so many of the newest."""
        asked = "select run_id from newest_runs where configuration_id = $value and place <= $count"
        return [row["run_id"] for row in self._warehouse.rows(asked, value=self._only and self._only[1], count=count)]

    def _machines(self) -> list[str]:
        if self._known is None:
            rows = self._warehouse.rows("select machine from machines order by place")
            self._known = [row["machine"] for row in rows]
        return self._known

    def _figure(
        self, chart: charts.Chart, name: str, title: str, caption: str, rows: list[dict[str, Any]], number: int
    ) -> str:
        machine = rows[0].get("machine")
        where = self._words.block("on_machine", machine=machine) if machine else ""
        described = self._words.block("described", title=title, caption=caption, where=where)
        spec = {**drawing.spec(chart, rows, self._words), "description": described}
        return (
            f'<figure class="chart" id="chart-{escape(name)}{f"-{number + 1}" if number else ""}"'
            f'{self._scope(rows[0])} data-search-exclude="" data-spec="{escape(json.dumps(spec))}">'
            f'<div class="chart-box" role="img" aria-label="{escape(spec["description"])}">{drawing.svg(spec)}</div>'
            f"<figcaption{self._lang(name)}><strong>{escape(self._words.block('titled', title=title))}</strong> "
            f"{escape(caption)}"
            f' <span class="on-machine">{escape(where.strip())}</span></figcaption>'
            f"{self._behind(chart.view, rows)}</figure>"
        )

    def _lang(self, chart: str) -> str:
        """Says of a caption that it is still English."""
        is_translated = self._words.is_english or chart in self._words.charts
        return "" if is_translated else ' class="untranslated" lang="en"'

    def _table(self, view: str, rows: list[dict[str, Any]], columns: list[str], rest: int) -> str:
        return data_table.html(rows, columns, self._comments(view), self._words, self._links, self._scope, rest)

    def _scope(self, row: dict[str, Any]) -> str:
        """Hides a row from readers of another machine; on a page of a single row, which a link may lead to, nothing."""
        if self._only or not row.get("machine"):
            return ""
        return data_table.of_machine(row) if row["machine"] in self._machines() else ""

    def _links(self, row: dict[str, Any], name: str) -> list[tuple[str | None, str]]:
        """From a label to its configuration's page, from a run to its reports."""
        if name.endswith("label") and (page := self._page_of(row.get(f"{name.removesuffix('label')}configuration_id"))):
            return [(None, page)]
        if name == "run_id" and row["run_id"] in self._reported() and (file := downloads.report_of(row["run_id"])):
            return [(None, self._place.file(f"{file}.md")), ("JSON", self._place.file(f"{file}.json"))]
        return []

    def _reported(self) -> set[str]:
        """Runs that have a report."""
        if self._reports is None:
            self._reports = {row["run_id"] for row in self._warehouse.rows(report.REPORTED)}
        return self._reports

    def _page_of(self, name: str | None) -> str | None:
        """The page of a configuration, if it has one."""
        if name and self._pages is None:
            self._pages = {row["configuration_id"] for row in self._warehouse.rows("from configurations")}
        return self._place.page(f"configuration/{name}") if self._pages and name in self._pages else None

    def _behind(self, view: str, rows: list[dict[str, Any]]) -> str:
        shown = [name for name in rows[0] if not name.endswith(("_low", "_high", "_id"))]
        table = self._table(view, rows[: data_table.BEHIND], shown, len(rows) - data_table.BEHIND)
        return (
            f"<details><summary>{escape(self._words.block('behind_chart'))}</summary>"
            f"{table}{self._sql(view)}{self._downloads(view)}</details>"
        )

    def _source(self, view: str) -> str:
        behind = f"{self._sql(view)}{self._downloads(view)}"
        summary = escape(self._words.block("behind_table"))
        return f'<details class="source" data-search-exclude><summary>{summary}</summary>{behind}</details>'

    def _sql(self, view: str) -> str:
        path = next(VIEWS.rglob(f"{view}.sql"))
        sql, _, _ = path.read_text(encoding="utf-8").partition("\n\ncomment on ")
        # A blank line would end the HTML block in Markdown.
        return f'<pre class="sql" tabindex="0"><code>{escape(sql.strip()).replace(chr(10), "&#10;")}</code></pre>'

    def _downloads(self, view: str) -> str:
        self._used.add(view)
        links = (
            f'<a href="{self._place.file(f"data/{view}.{kind}")}" download>{label}</a>' for kind, label in DOWNLOADS
        )
        return f'<p class="downloads">{escape(self._words.block("download", view=view))} {" · ".join(links)}</p>'

    def _comments(self, view: str) -> dict[str, str | None]:
        return self._warehouse.comments(view)
