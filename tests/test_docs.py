"""What the code promises of itself: documented views, drawn charts, linked pages, and who may do what."""

import ast
import re
import statistics
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from mkdocs.config import load_config

from collector import dictionary
from collector.schema import CLONE, COLUMNS, Results
from site_src import build, charts
from site_src.warehouse import VIEWS, Warehouse

# Design §4.2: views with a public name.
PUBLIC = {
    *("quality", "quality_flips", "outputs"),
    *("tps_per_gb", "framework_delta", "quant_tradeoff", "model_comparison", "stability", "context_utilization"),
    *("plan_coverage", "recommendation", "answers", "runs", "run_summary"),
}
VIEW_FILES = sorted(path for path in VIEWS.rglob("*.sql") if not path.name.startswith("0_"))  # those are of macros
PAGES = {path.relative_to(build.PAGES).as_posix(): path for path in sorted(build.PAGES.rglob("*.md"))}
MODULES = sorted(
    path
    for package in ("collector", "site_src")
    for path in (CLONE / package).rglob("*.py")
    if "material" not in path.parts  # prompts' material is no code of ours
)


def named(path: Path) -> str:
    return path.relative_to(CLONE).as_posix()


def of(*paths: str) -> set[str]:
    """Modules below these folders, or these modules."""
    return {named(path) for path in MODULES if named(path).startswith(paths)}


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Warehouse:
    return Warehouse(Results(tmp_path_factory.mktemp("no") / "results"))


# ---------------------------------------------------------------- views


def test_every_view_says_its_grain(warehouse: Warehouse) -> None:
    assert set(warehouse.views) == {path.stem for path in VIEW_FILES}
    assert [view for view in warehouse.views if not warehouse.grain(view)] == []


def test_every_column_of_every_view_says_what_it_means(warehouse: Warehouse) -> None:
    silent = [
        f"{path.stem}.{column}"
        for path in VIEW_FILES
        for column, comment in warehouse.comments(path.stem).items()
        if not comment
    ]
    assert silent == []


def test_no_comment_is_about_another_view_or_a_missing_column(warehouse: Warehouse) -> None:
    wrong = []
    for path in VIEW_FILES:
        sql = path.read_text(encoding="utf-8")
        there = set(warehouse.comments(path.stem))
        wrong += [view for view in re.findall(r"^comment on view (\w+)", sql, re.MULTILINE) if view != path.stem]
        wrong += [
            f"{view}.{column} in {path.name}"
            for view, column in re.findall(r"^comment on column (\w+)\.(\w+)", sql, re.MULTILINE)
            if view != path.stem or column not in there
        ]
    assert wrong == []


@pytest.mark.parametrize("path", VIEW_FILES, ids=lambda path: path.stem)
def test_a_file_makes_the_view_of_its_name_and_no_other(path: Path) -> None:
    made = re.findall(r"^create (?:or replace )?(\w+) (\w+)", path.read_text(encoding="utf-8"), re.MULTILINE)
    assert made == [("view", path.stem)]


def test_macros_are_the_only_other_files() -> None:
    for path in VIEWS.glob("0_*.sql"):
        made = re.findall(r"^create or replace (\w+) ", path.read_text(encoding="utf-8"), re.MULTILINE)
        assert set(made) == {"macro"}, path.name
    assert [path.name for path in VIEWS.rglob("*") if path.is_file() and path.suffix != ".sql"] == []


def test_views_are_short() -> None:
    """The SQL; each column's comment is a line more."""
    layered = [path for path in VIEW_FILES if path.parent != VIEWS]  # quantiles are a table of numbers
    lines = {path.stem: path.read_text(encoding="utf-8").splitlines() for path in layered}
    lengths = {name: sum(not line.startswith("comment on") for line in of) for name, of in lines.items()}
    assert {name: length for name, length in lengths.items() if length > 115} == {}
    assert statistics.median(lengths.values()) <= 45


def test_no_view_reads_a_layer_above_its_own() -> None:
    layer = {path.stem: path.parent.name for path in VIEW_FILES}
    upward = []
    for path in VIEW_FILES:
        sql = re.sub(r"--.*|'[^']*'", "", path.read_text(encoding="utf-8"))  # a comment may say "from runs"
        own = re.findall(r"^(\w+) as \(", sql, re.MULTILINE)  # named queries within the view
        read = set(re.findall(r"\b(?:from|join)\s+(\w+)", sql)) - set(own)
        upward += [
            f"{path.stem} reads {name}"
            for name in read & layer.keys()
            if layer[name][0].isdigit() and layer[name] > path.parent.name
        ]
    assert upward == []


def test_every_mart_is_shown_asked_for_or_public() -> None:
    users = [
        *build.PAGES.rglob("*.md"),
        *charts.FOLDER.glob("*.py"),
        *(CLONE / "collector" / "commands").rglob("*.py"),
        *(CLONE / "collector" / "commands").rglob("*.sql"),
    ]
    users += [*(CLONE / "site_src").glob("*.py"), *(CLONE / "scripts").iterdir()]
    words = " ".join(path.read_text(encoding="utf-8") for path in users if path.is_file())
    marts = {path.stem for path in VIEW_FILES if path.parent.name == "3_marts"}
    others = {
        read
        for path in VIEW_FILES
        for read in re.findall(r"\b(?:from|join)\s+(\w+)", path.read_text(encoding="utf-8"))
        if read != path.stem
    }
    unused = {mart for mart in marts - PUBLIC - others if not re.search(rf"\b{mart}\b", words)}
    assert unused == set()


# ---------------------------------------------------------------- charts and pages


@pytest.mark.parametrize("name", charts.names())
def test_a_chart_has_a_title_a_caption_and_a_view(name: str, warehouse: Warehouse) -> None:
    chart = charts.read(name)
    assert chart.title
    assert "\n" not in chart.title
    assert not chart.title.endswith(".")
    assert chart.caption.endswith(".")
    assert warehouse.comments(chart.view), f"chart {name} draws {chart.view}, which is no view"


def test_every_chart_is_on_a_page() -> None:
    words = " ".join(path.read_text(encoding="utf-8") for path in PAGES.values())
    assert [name for name in charts.names() if f'chart("{name}")' not in words] == []


def test_every_page_is_in_the_navigation_and_the_other_way_round() -> None:
    def pages(nav: object) -> Iterator[str]:
        if isinstance(nav, str):
            yield nav
        for entry in nav.values() if isinstance(nav, dict) else nav if isinstance(nav, list) else ():
            yield from pages(entry)

    nav = sorted(pages(load_config(str(CLONE / "mkdocs.yml")).nav))
    assert nav == sorted(name for name in PAGES if "[" not in name)


def test_pages_hold_no_sql_and_no_figures_of_their_own() -> None:
    for name, path in PAGES.items():
        assert not re.search(r"\bselect\b.+\bfrom\b", path.read_text(encoding="utf-8"), re.IGNORECASE), name


# ---------------------------------------------------------------- the data dictionary


def test_the_data_dictionary_is_the_schemas() -> None:
    written = (CLONE / "results" / "README.md").read_text(encoding="utf-8")
    assert written == dictionary.text(), "results/README.md is not what scripts/dictionary writes; run it"


def test_every_column_says_what_it_means_and_its_name_its_unit() -> None:
    assert [column.name for column in COLUMNS if not column.meaning] == []
    assert len({column.name for column in COLUMNS}) == len(COLUMNS)
    units = {"_ns": "ns", "_us": "µs", "_ms": "ms", "_bytes": "bytes", "_tokens": "tokens", "_tps": "tokens/s"}
    wrong = [
        column.name
        for column in COLUMNS
        for suffix, unit in units.items()
        if column.name.endswith(suffix) and column.unit != unit
    ]
    assert wrong == []


# ---------------------------------------------------------------- who may do what


def imports(path: Path) -> set[str]:
    """Full names of what a module imports, also in the middle of functions and for types only."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def calls(path: Path) -> set[str]:
    """Dotted names of whatever is read or called: `time.sleep`, `print`, `click.echo`."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name | ast.Attribute):
            owner = node.value.id if isinstance(node.value, ast.Name) else node.value.attr
            found.add(f"{owner}.{node.attr}")
        elif isinstance(node, ast.Name):
            found.add(node.id)
    return found | imports(path)


CLOCKS = re.compile(r"^time\.(time|perf_counter|monotonic|process_time|clock_gettime)|^datetime\.(now|utcnow|today)$")
PRINTS = re.compile(r"^(print|click\.s?echo)$")
EXITS = re.compile(r"^(sys\.exit|os\._exit|exit|quit)$")


def who(pattern: re.Pattern[str]) -> set[str]:
    return {named(path) for path in MODULES if any(map(pattern.search, calls(path)))}


def test_only_one_module_reads_the_clock() -> None:
    assert who(CLOCKS) == {"collector/clock.py"}


def test_only_commands_and_the_sites_two_front_doors_print() -> None:
    assert who(PRINTS) <= of("collector/commands/", "site_src/__main__.py", "site_src/sql.py")


def test_only_commands_exit() -> None:
    programs = (
        "collector/cli.py",
        "collector/__main__.py",
        "collector/embedded_server.py",
        "collector/sandbox/child.py",
    )
    assert who(EXITS) <= of("collector/commands/", *programs)


CONTRACTS = "schema|judgments|capacity|ownership|signing|errors|clock|litter|children"


def test_the_site_knows_only_the_contracts_of_the_collector() -> None:
    known = {
        f"{named(path)} imports {name}"
        for path in MODULES
        for name in imports(path)
        if named(path).startswith("site_src/")
        and re.match(
            r"collector\b(?!\.(schema|judgments|capacity|ownership|signing|errors|clock|litter|children)\b)", name
        )
    }
    assert known == set()


def test_of_the_collector_only_commands_know_the_site() -> None:
    known = {
        f"{named(path)} imports {name}"
        for path in MODULES
        for name in imports(path)
        if named(path).startswith("collector/")
        and not named(path).startswith("collector/commands/")
        and re.match(r"site_src\b", name)
    }
    assert known == set()


def test_only_its_hooks_know_mkdocs() -> None:
    assert {named(path) for path in MODULES if any(name.startswith("mkdocs") for name in imports(path))} == {
        "site_src/handed_over.py",
        "site_src/hooks.py",
        "site_src/set_aside.py",
        "site_src/translation.py",
        "site_src/unchanged.py",
    }


def test_modules_are_short_and_say_what_they_are() -> None:
    too_long, silent = [], []
    for path in MODULES:
        text = path.read_text(encoding="utf-8")
        too_long += [named(path)] * (len(text.splitlines()) > 400)
        silent += [named(path)] * (bool(text.strip()) and not ast.get_docstring(ast.parse(text)))
    assert (too_long, [name for name in silent if not name.endswith("__main__.py")]) == ([], [])


# ---------------------------------------------------------------- what is published


def tracked() -> list[Path]:
    """Files of the repository: those git knows, and new ones it would take."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=CLONE,
        capture_output=True,
        text=True,
        check=False,
    )
    assert listed.returncode == 0, f"git cannot list the files of this clone: {listed.stderr}"
    return [path for name in listed.stdout.split("\0") if name and (path := CLONE / name).is_file()]


def test_no_file_names_a_folder_of_a_development_machine() -> None:
    private = re.compile(rb"(?<![\w.~-])/(?:work|root)/")  # this line is written so that it does not match itself
    found = [named(path) for path in tracked() if private.search(path.read_bytes())]
    about_them = ("tests/test_privacy.py",)  # the rule that removes them, and its test
    assert [name for name in found if name not in about_them] == []


def test_results_hold_data_only() -> None:
    suffixes = {path.suffix for path in tracked() if named(path).startswith("results/")}
    assert suffixes <= {".parquet", ".csv", ".md", ".json", ".toml", ".sha256", ""}
