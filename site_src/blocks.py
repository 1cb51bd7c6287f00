"""The pieces that pages name: a chart, a mart as a table, a single value. All of them HTML on lines of their own.

Everything from a view is escaped: names of models and texts of servers are somebody else's words.
"""

import json
from collections.abc import Callable
from html import escape
from typing import Any

import pyarrow as pa
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
    side_by_side,
)
from site_src.here import Here, html
from site_src.place import Place
from site_src.reuse import identity
from site_src.reuse.answers import Only, newest_of
from site_src.reuse.maker import Maker
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
        self, maker: Maker, place: Place, used: set[str], words: Words, only: tuple[str, str] | None = None
    ) -> None:
        self._maker, self._answers = maker, maker.answers
        self._place, self._used, self._words, self._only = place, used, words, only
        self._ones: dict[str, Here] = {}  # rows that were asked for: a page asks for one a dozen times

    def chart(self, name: str) -> Markup:
        """A chart with its caption, once per machine; under it its data, the SQL that made it and downloads."""
        chart = charts.read(name)
        table = self._part(chart.view, chart.where)
        if not table.num_rows:
            return html(f'<p class="reason">{escape(self._words.block("no_chart", title=self._called(chart)[0]))}</p>')
        if "machine" not in table.column_names:
            return html(self._machines_figure(chart, None, (), 0))
        of_each = set(table["machine"].to_pylist())
        ordered = [name for name in (*self._machines(), None) if name in of_each]
        return html(
            "".join(
                self._machines_figure(chart, machine, (("machine", machine),), number)
                for number, machine in enumerate(ordered)
            )
        )

    def table(self, view: str, columns: str, where: str = "true", newest: int | None = None) -> Markup:
        """The named columns of a mart as a table, with the SQL that made it and downloads; how many rows are left out.

        `newest`: on a configuration's page, only of so many of its runs, at most ten.
        """
        return self._block("table", view, columns, where, newest)

    def facts(self, view: str, columns: str) -> Markup:
        """The named columns of the only row, one below the other, with the SQL that made it and downloads."""
        return self._block("facts", view, columns)

    def side_by_side(self, view: str) -> Markup:
        """The texts of a view, prompt by prompt, each in a card with what its checks say."""
        return self._block("side_by_side", view)

    def compare(self, view: str, where: str = "true") -> Markup:
        """Two choices, and what a view of pairs says of the two beside each other; needs JavaScript."""
        return self._block("compare", view, where)

    def columns(self, scope: str) -> Markup:
        """What the columns of a run file mean, those about the run or those about an operation."""
        return self._block("columns", scope)

    def marts(self) -> Markup:
        """Every mart: what a row of it is, what its columns mean, downloads."""
        return self._block("marts", *downloads.marts())

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
        return self._block("tree_picture", view)

    def tree(self, view: str) -> Markup:
        """The same as nested lists, with the SQL that made its leaves and downloads."""
        return self._block("tree", view)

    def chooser(self, view: str) -> Markup:
        """Lists to choose from, which lead to a leaf of that tree; nothing without JavaScript."""
        return self._block("chooser", view)

    def contributed(self) -> Markup:
        """Of each machine here that others say to have: that its figures are not this repository's.

        On the page of a row it is said whichever machine the reader has chosen: all the page is of that one.
        """
        own = {self.one(view)["machine"] for view in self._ones if self._only and "machine" in self._comments(view)}
        rows = [row for row in self._answers.rows(CONTRIBUTED) if not self._only or row["machine"] in own]
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
        return bool(self._part(view).num_rows)

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
        return [Here(row, self._words) for row in self._part(view).to_pylist()]

    # ------------------------------------------------------------ what a block is known by

    def _block(self, kind: str, *asked: str | int | None) -> Markup:
        return html(self._kept((kind, *asked), lambda: getattr(self, f"_{kind}_of")(*asked)))

    def _kept(self, asked: tuple[str | int | None, ...], make: Callable[[], str], of_chart: bytes = b"") -> str:
        """A block as HTML, made or taken from an earlier build; the views whose data it links to are used."""

        def made() -> str:
            before, self._used = self._used, set()
            try:
                text = make()
                return f"{' '.join(sorted(self._used))}\n{text}"
            finally:
                self._used = before

        told = json.dumps([asked, self._only, self._place.page(""), self._place.file("")])
        known_by = (told, self._words.digest, of_chart, identity.code(__name__), identity.versions())
        used, _, text = self._maker.block(known_by, made).partition("\n")
        self._used.update(used.split())
        return text

    # ------------------------------------------------------------ blocks, made

    def _table_of(self, view: str, columns: str, where: str, newest: int | None) -> str:
        table = self._part(view, where)
        shown = newest_of(table, self._newest(newest)) if newest else table
        rows = shown.slice(0, data_table.LONGEST).to_pylist()
        if not rows:
            return f'<p class="reason">{escape(self._words.block("no_rows"))}</p>'
        made = self._rows_as_table(view, rows, columns.split(), table.num_rows - len(rows))
        return f"{made}{self._source(view)}"

    def _facts_of(self, view: str, columns: str) -> str:
        [row] = self._part(view).to_pylist()
        made = data_table.facts(row, columns.split(), self._comments(view), self._words)
        return f"{made}{self._source(view)}"

    def _side_by_side_of(self, view: str) -> str:
        return side_by_side.html(self._part(view).to_pylist(), self._words)

    def _compare_of(self, view: str, where: str) -> str:
        return compare.html(self._part(view, where).to_pylist(), self._words, self._page_of)

    def _columns_of(self, scope: str) -> str:
        return dictionary.columns(scope, self._words)

    def _marts_of(self, *marts: str) -> str:
        return dictionary.marts(self._answers, marts, self._words, self._downloads)

    def _tree_picture_of(self, view: str) -> str:
        return decide_svg.pictures(self._part(view).to_pylist(), decide.read(self._words))

    def _tree_of(self, view: str) -> str:
        script, rows = decide.read(self._words), self._part(view).to_pylist()
        made = decide_html.trees(rows, script, lambda row: self._page_of(row["configuration_id"]))
        return f"{made}{self._source(view)}"

    def _chooser_of(self, view: str) -> str:
        return decide_html.choosers(self._part(view).to_pylist(), decide.read(self._words))

    def _part(self, view: str, where: str = "true", more: Only = ()) -> pa.Table:
        """The rows of a view on this page."""
        of_page = (self._only,) if self._only and self._only[0] in self._comments(view) else ()
        return self._answers.part(view, where, (*of_page, *more))

    def _newest(self, count: int) -> list[str]:
        """The runs of this page's configuration, so many of the newest."""
        rows = self._answers.part("newest_runs", f"place <= {count:d}", (self._only,) if self._only else ()).to_pylist()
        return [row["run_id"] for row in rows]

    def _machines(self) -> list[str]:
        """The one shown first first."""
        return self._answers.column("select machine from machines order by place")

    def _called(self, chart: charts.Chart) -> tuple[str, str]:
        """A chart's title and caption."""
        said = self._words.charts.get(chart.name, {})
        return said.get("title", chart.title), said.get("caption", chart.caption)

    def _machines_figure(self, chart: charts.Chart, machine: str | None, only: Only, number: int) -> str:
        asked = ("figure", chart.name, machine, number)
        return self._kept(asked, lambda: self._figure(chart, only, number), identity.chart(chart.name))

    def _figure(self, chart: charts.Chart, only: Only, number: int) -> str:
        rows = self._part(chart.view, chart.where, only).to_pylist()
        title, caption = self._called(chart)
        machine = rows[0].get("machine")
        where = self._words.block("on_machine", machine=machine) if machine else ""
        described = self._words.block("described", title=title, caption=caption, where=where)
        spec = {**drawing.said(self._spec(chart, rows, only), self._words), "description": described}
        picture = self._maker.drawings.place(drawing.static(spec))
        return (
            f'<figure class="chart" id="chart-{escape(chart.name)}{f"-{number + 1}" if number else ""}"'
            f'{self._scope(rows[0])} data-search-exclude="" data-spec="{escape(json.dumps(spec))}">'
            f'<div class="chart-box" role="img" aria-label="{escape(spec["description"])}">{picture}</div>'
            f"<figcaption{self._lang(chart.name)}><strong>{escape(self._words.block('titled', title=title))}</strong> "
            f"{escape(caption)}"
            f' <span class="on-machine">{escape(where.strip())}</span></figcaption>'
            f"{self._behind(chart.view, rows)}</figure>"
        )

    def _spec(self, chart: charts.Chart, rows: list[dict[str, Any]], only: Only) -> dict[str, Any]:
        """A chart's specification, which all languages share but for its words."""
        asked = json.dumps(["spec", chart.name, self._only, only])
        known_by = (asked, identity.chart(chart.name), identity.code(drawing.__name__), identity.versions())

        def made() -> str:
            self._part(chart.view, chart.where, only)  # what `rows` are
            return json.dumps(drawing.spec(chart, rows))

        spec: dict[str, Any] = json.loads(self._maker.block(known_by, made))
        return spec

    def _lang(self, chart: str) -> str:
        """Says of a caption that it is still English."""
        is_translated = self._words.is_english or chart in self._words.charts
        return "" if is_translated else ' class="untranslated" lang="en"'

    def _rows_as_table(self, view: str, rows: list[dict[str, Any]], columns: list[str], rest: int) -> str:
        reported = self._reported() if "run_id" in columns else set()

        def links(row: dict[str, Any], name: str) -> list[tuple[str | None, str]]:
            """From a label to its configuration's page, from a run to its reports."""
            if name.endswith("label"):
                page = self._page_of(row.get(f"{name.removesuffix('label')}configuration_id"))
                return [(None, page)] if page else []
            if name == "run_id" and row["run_id"] in reported and (file := downloads.report_of(row["run_id"])):
                return [(None, self._place.file(f"{file}.md")), ("JSON", self._place.file(f"{file}.json"))]
            return []

        return data_table.html(rows, columns, self._comments(view), self._words, links, self._scope, rest)

    def _scope(self, row: dict[str, Any]) -> str:
        """Hides a row from readers of another machine; on a page of a single row, which a link may lead to, nothing."""
        if self._only or not row.get("machine"):
            return ""
        return data_table.of_machine(row) if row["machine"] in self._machines() else ""

    def _reported(self) -> set[str]:
        """Runs of this page that have a report."""
        return set(self._part("newest_runs", "has_report")["run_id"].to_pylist())

    def _page_of(self, name: str | None) -> str | None:
        """The page of a configuration, if it has one."""
        known = self._answers.column("select configuration_id from configurations order by all") if name else []
        return self._place.page(f"configuration/{name}") if name in known else None

    def _behind(self, view: str, rows: list[dict[str, Any]]) -> str:
        shown = [name for name in rows[0] if not name.endswith(("_low", "_high", "_id"))]
        table = self._rows_as_table(view, rows[: data_table.BEHIND], shown, len(rows) - data_table.BEHIND)
        return (
            f"<details><summary>{escape(self._words.block('behind_chart'))}</summary>"
            f"{table}{self._sql(view)}{self._downloads(view)}</details>"
        )

    def _source(self, view: str) -> str:
        behind = f"{self._sql(view)}{self._downloads(view)}"
        summary = escape(self._words.block("behind_table"))
        return f'<details class="source" data-search-exclude><summary>{summary}</summary>{behind}</details>'

    def _sql(self, view: str) -> str:
        sql = self._answers.sql(view)
        # A blank line would end the HTML block in Markdown.
        return f'<pre class="sql" tabindex="0"><code>{escape(sql.strip()).replace(chr(10), "&#10;")}</code></pre>'

    def _downloads(self, view: str) -> str:
        self._used.add(view)
        links = (
            f'<a href="{self._place.file(f"data/{view}.{kind}")}" download>{label}</a>' for kind, label in DOWNLOADS
        )
        return f'<p class="downloads">{escape(self._words.block("download", view=view))} {" · ".join(links)}</p>'

    def _comments(self, view: str) -> dict[str, str | None]:
        return self._answers.comments(view)
