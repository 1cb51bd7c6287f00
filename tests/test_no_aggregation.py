"""Every number is made by a view: neither charts, nor pages, nor the code between them aggregate or compute one."""

import re
from pathlib import Path

import pytest

from collector.schema import CLONE

SITE = CLONE / "site_src"
FITS = {"bradley_terry.py"}  # what SQL cannot fit; the warehouse makes a table of it, which a view reads
SIZES = {"bounds.py", "parquet_parts.py"}  # of files that may not be read: no figure of a page
CODE = sorted(path for path in SITE.rglob("*.py") if path.relative_to(SITE).as_posix() not in FITS | SIZES)
PAGES = sorted((SITE / "pages").rglob("*.md"))

# What aggregates: in Python, in SQL within Python, in Altair's words; min and max are left out, for they also lay out.
IN_CODE = re.compile(
    r"""
    \b group \s* _? by \b
    | \b (?: f?sum | f?mean | geomean | nanmean | median(?:_low|_high)? | average | avg | p?stdev | p?variance
        | stddev(?:_samp|_pop)? | var_samp | std | var(?!\(--) | quantiles? | quantile_cont | percentile | corr | prod
        | geometric_mean | harmonic_mean | reduce | accumulate | arg_m(?:in|ax) | Counter | any_value | regr_\w+ ) \(
    | \b count \( \*? \)
    | \b (?: import | from ) \s+ (?: statistics | numpy | pandas | polars | scipy ) \b
    | \b statistics \.
    | \b transform_ (?! (?: filter | fold | flatten | lookup ) \b ) \w+
    | \b (?: aggregate | bin | timeUnit ) = (?! (?: None | False ) \b )
    | \b mark_ (?: boxplot | errorbar | errorband ) \b
    """,
    re.VERBOSE | re.IGNORECASE,
)
# A page names what it shows. Within its braces nothing is added up, divided, rounded or counted.
BRACES = re.compile(r"\{\{.*?\}\}|\{%.*?%\}", re.DOTALL)
IN_BRACES = re.compile(r"[+*/]|\s-\s|\|\s*(?:sum|min|max|groupby|length|count|round|int|float|abs|map|format)\b|\*\*")
TEXTS = re.compile(r"\"[^\"]*\"|'[^']*'")


def aggregated(code: str) -> list[str]:
    """Lines of Python that aggregate."""
    lines = [line.strip() for line in code.splitlines()]
    return [line for line in lines if IN_CODE.search(line)]


def computed(page: str) -> list[str]:
    """Braces of a page in which something is computed."""
    return [inner for inner in BRACES.findall(page) if IN_BRACES.search(TEXTS.sub("", inner.strip("{}%")))]


@pytest.mark.parametrize("path", CODE, ids=lambda path: path.relative_to(SITE).as_posix())
def test_code_of_the_site_aggregates_nothing(path: Path) -> None:
    assert aggregated(path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_pages_compute_nothing(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert computed(text) == []
    assert aggregated("\n".join(TEXTS.sub("", inner) for inner in BRACES.findall(text))) == []


@pytest.mark.parametrize(
    "planted",
    [
        "rows.groupby('model')",
        "for key, rows in itertools.groupby(rows, key):",
        "frame.group_by('model').agg(pl.col('tps'))",
        'warehouse.rows("select model, max(tps) from runs group by model")',
        'warehouse.rows("select model, max(tps) from runs GROUP BY ALL")',
        'rows("select avg(decode_tps) from runs")',
        'rows("select count(*) from runs")',
        'rows("select any_value(label) from runs")',
        'rows("select quantile_cont(tps, 0.95) from runs")',
        "total = sum(row['request_count'] for row in rows)",
        "total = math.fsum(speeds)",
        "center = mean(speeds)",
        "center = statistics.median(speeds)",
        "from statistics import fmean",
        "import numpy as np",
        "import pandas",
        "spread = np.std(speeds)",
        "counts = Counter(row['model'] for row in rows)",
        "total = functools.reduce(add, speeds)",
        'chart.transform_aggregate(tps="mean(decode_tps)")',
        "chart.transform_window(rank='rank()')",
        'chart.transform_calculate(ratio="datum.a / datum.b")',
        'alt.Y("median(decode_tps):Q")',
        'alt.Y("count()")',
        'alt.Y("decode_tps:Q", aggregate="mean")',
        'alt.X("decode_tps:Q", bin=True)',
        "alt.Chart(rows).mark_boxplot()",
    ],
)
def test_whoever_aggregates_in_code_is_found(planted: str) -> None:
    assert aggregated(f"def chart(rows):\n    {planted}\n    return rows\n") == [planted]


@pytest.mark.parametrize(
    "innocent",
    [
        '"""Each dot is one request, each bar the median of its prompt."""',
        "before_point = math.floor(math.log10(abs(value))) + 1",
        "longest = max((len(run) for run in runs), default=0)",
        'alt.X("median_tps:Q", scale=alt.Scale(zero=True, nice=True))',
        'chart.transform_filter("datum.tps > 0")',
        'blocks.counted("overview.run_count", "run")',
        'text.count("|")',
        "columns = sorted(rows[0])",
        'row["checksum"]',
        'SERIES = [f"var(--chart-{number})" for number in range(1, 7)]',
    ],
)
def test_code_that_lays_out_is_let_be(innocent: str) -> None:
    assert aggregated(innocent) == []


@pytest.mark.parametrize(
    "planted",
    [
        '{{ one("overview").run_count + 1 }}',
        '{{ one("overview").request_count / 2 }}',
        '{{ one("overview").decode_tps * 100 }}',
        '{{ one("overview").a - one("overview").b }}',
        '{{ one("overview").decode_tps | round(1) }}',
        "{{ rows | sum(attribute='tps') }}",
        "{% if rows | length > 2 %}",
        "{% for group in rows | groupby('model') %}",
        "{% set best = rows | max(attribute='tps') %}",
    ],
)
def test_a_page_that_computes_is_found(planted: str) -> None:
    assert computed(f"# Title\n\nWords, 3 + 4.\n\n{planted}\n") == [planted]


@pytest.mark.parametrize(
    "innocent",
    [
        '{{ table("runs", "label decode_tps", "a / b > 2") }}',
        "{% if all.run_count == 0 %}\n**Nothing** is measured; 1/5 of 10 - 3.\n{% endif %}",
        '{{ value("overview.latest_decode_tps") }}',
        '{% if one("overview").decode_tps_low > 1 %}',
    ],
)
def test_a_page_that_only_names_is_let_be(innocent: str) -> None:
    assert computed(innocent) == []


def test_what_is_looked_at_is_there() -> None:
    names = {path.relative_to(SITE).as_posix() for path in (*CODE, *PAGES)}
    assert {"build.py", "blocks.py", "figures.py", "report.py", "charts/token_arrival.py", "pages/index.md"} <= names


def test_only_the_warehouse_knows_the_fits() -> None:
    users = {path.name for path in CODE for fit in FITS if Path(fit).stem in path.read_text(encoding="utf-8")}
    assert users == {"warehouse.py"}
