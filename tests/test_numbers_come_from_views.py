"""Every number in a sentence comes from a view: other data, other sentences; and pages hold no figures of their own."""

import html
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from collector.schema import Results
from site_src import build
from site_src.warehouse import Warehouse
from tests import planted, worlds
from tests.planted import Planted
from tests.planted import views_without_comments as views_without_comments
from tests.shown import squeezed
from tests.worlds import ALL_RIGHT, MINIMAX, QWEN, STUDIO, World, plan

PAGES = sorted(build.PAGES.glob("*.md"))
BOX = re.compile(r'<div class="answer"[^>]*>(.*?)</div>', re.DOTALL)


def answers_of(warehouse: Warehouse, page: str) -> str:
    """The answers at the top of a page, as a reader of its Markdown sees them."""
    return squeezed(" ".join(html.unescape(box) for box in BOX.findall(build.page(warehouse, page, set()))))


# ---------------------------------------------------------------- other run files, other sentences


@dataclass(frozen=True)
class Measured:
    """What was measured: MiniMax 4 bit with both runtimes, Qwen 4 bit with MLX, a ladder, a quality pass."""

    mlx_speed: float
    mlx_peak_gb: float
    repeats: int
    gpu_cores: int
    qwen_cv: float
    usable: int
    wrong: int
    failed: int
    began: datetime

    def warehouse(self, folder: Path) -> Warehouse:
        """The views over run files that say so."""
        cells, world = plan(), World(Results(folder), began=self.began)
        machine = {**STUDIO, "gpu_cores": self.gpu_cores}
        right = {**ALL_RIGHT, **{f"question-{number}": "我不知道。" for number in range(1, self.wrong + 1)}}
        mlx = replace(cells[MINIMAX, "4bit"], mlx_peak_gb=self.mlx_peak_gb)
        world.measure(mlx, machine=machine, speed=self.mlx_speed, repeats=self.repeats, quality=right)
        world.measure(cells[MINIMAX, "Q4_K_M"], machine=machine, repeats=self.repeats, failed=self.failed)
        world.measure(cells[QWEN, "4bit"], machine=machine, speed=0.5, cv=self.qwen_cv, repeats=self.repeats)
        world.climb(cells[MINIMAX, "Q4_K_M"], 131_072, self.usable, machine=machine)
        return Warehouse(world.results)


BEFORE = Measured(1.0, 135.0, 5, 80, 0.01, 65_536, 0, 0, datetime(2026, 11, 22, 12))
AFTER = Measured(1.2, 150.0, 4, 60, 0.08, 98_304, 1, 1, datetime(2026, 12, 3, 8))

# Page, what its answer says before and after. By hand: speeds 45 and 54 tokens/s, 5 prompts of 5 or 4 repeats, MLX over
# llama.cpp 45/38 and 54/38, MiniMax over Qwen 45/41 and 54/41, full context 33.0 GB more than the short peak.
SENTENCES = [
    ("index.md", "45.0 tokens/s", "54.0 tokens/s"),
    ("index.md", "25 requests", "20 requests"),
    ("index.md", "168 GB", "183 GB"),
    ("index.md", "apple-m3-ultra-80gpu-512gb", "apple-m3-ultra-60gpu-512gb"),
    ("results.md", "(0 failed)", "(1 failed)"),
    ("results.md", "2026-11-22 13:30", "2026-12-03 09:30"),
    ("results.md", "85 measured requests", "68 measured requests"),
    ("decide.md", "45.0 tokens/s", "54.0 tokens/s"),
    ("framework.md", "1.18 times", "1.42 times"),
    ("models.md", "1.10 times", "1.32 times"),
    ("context.md", "65,536 tokens were usable", "98,304 tokens were usable"),
    ("quality.md", "1 of 1 build pass", "0 of 1 build pass"),
    ("stability.md", "3 of 3 configurations stable", "2 of 3 configurations stable"),
    ("outputs.md", "10 pass their checks, 0 do not", "9 pass their checks, 1 do not"),
    ("practices.md", "45.0 tokens/s", "54.0 tokens/s"),
    ("data.md", "2026-11-22 12:00", "2026-12-03 08:00"),
]


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], tuple[str, str]]:
    """The answers of a page, before and after; each page is made once, however many of its sentences are asked for."""
    folder = tmp_path_factory.mktemp("measured")
    first, second = BEFORE.warehouse(folder / "before"), AFTER.warehouse(folder / "after")
    return cache(lambda page: (answers_of(first, page), answers_of(second, page)))


@pytest.mark.parametrize(("page", "before", "after"), SENTENCES)
def test_other_run_files_make_other_sentences(
    measured: Callable[[str], tuple[str, str]], page: str, before: str, after: str
) -> None:
    first, second = measured(page)
    assert before in first and after not in first
    assert after in second and before not in second


# ---------------------------------------------------------------- each value that a sentence names

NAMED = re.compile(r'here\.(?:value|counted)\("(\w+)"')
LOOP = re.compile(r'\{% for here in each\("(\w+)"\) %\}(.*?)\{% endfor %\}', re.DOTALL)


def named_values(page: str) -> dict[str, set[str]]:
    """The columns that a page's sentences name, by view."""
    found: dict[str, set[str]] = {}
    for view, body in LOOP.findall(page):
        found.setdefault(view, set()).update(NAMED.findall(body))
    return found


def other(value: Any) -> Any:
    """Another value of that kind, which reads otherwise with three digits, too."""
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, int):
        return value + 7
    if isinstance(value, float):
        return value * 1.37 + 1
    return value.replace(year=2031) if isinstance(value, datetime) else f"{value} or another"


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory) -> Warehouse:
    return Warehouse(worlds.make("one machine", tmp_path_factory.mktemp("full")))


def test_each_value_that_a_sentence_names_changes_it(full: Warehouse) -> None:
    made = planted.shared()
    shown, silent = [], []
    for path in PAGES:
        for view, columns in named_values(path.read_text(encoding="utf-8")).items():
            rows = full.rows(f"from {view}")
            said = _said(made, path.name, view, rows)
            for column in sorted(columns):
                changed: list[Mapping[str, Any]] = [{**row, column: other(row[column])} for row in rows]
                place = f"{path.name} {view}.{column}"
                (shown if _said(made, path.name, view, changed) != said else silent).append(place)
    assert len(shown) >= 60
    assert len({place.partition(" ")[0] for place in shown}) >= 10
    # What is said only of other data than this world's: a failure, a tie, damage.
    assert len(silent) < 0.4 * len(shown), silent


def _said(made: Planted, page: str, view: str, rows: "list[Mapping[str, Any]] | list[dict[str, Any]]") -> str:
    made.put(view, *rows)
    try:
        return answers_of(made.warehouse, page)
    finally:
        made.clear()


# ---------------------------------------------------------------- pages hold no figures

FIGURE = re.compile(
    r"(?<![\w.`{-])\d[\d,.]*(?:\s|&nbsp;)?(?:tokens?/s|tok/s|TPS|GB(?:/s)?|MB|KB|GiB|ms|s|µs|min(?:utes?)?|h(?:ours?)?|%"
    r"|times|×|x|K|tokens?|requests?|runs?|prompts?|builds?|cells?)\b(?!\w)|\d[\d,.]*\s?%"
)
# What a page may say with a number of its own: definitions and rules, which no measurement changes.
ALLOWED = {
    "95 %": "the level of all intervals",
    "3 %": "the margin of a verdict, by definition",
    "2 %": "the bound of stable, by definition",
    "5 %": "the bound of acceptable, by definition",
    "15 %": "the bound below which a ceiling is looked into, by definition",
    "100 %": "a bound by arithmetic",
    "10 %": "of how far two readings of memory may differ, by definition",
    "90 %": "the depth at which the ladder hides its third number",
    "131,072 tokens": "the plan's context",
    "8,192 tokens": "the allowance of the quality pass, by definition",
    "512 tokens": "the shortest prompt with a prefill speed, by definition",
    "20 %": "of how far the lengths of two answers may differ, by definition",
    "256 tokens": "the beginning of an answer that is compared where lengths differ, by definition",
    "200 tokens": "the shortest answer with a jitter, by definition",
    "51.1 tokens/s": "a figure of the past: why the meaning of intervals changed",
    "32 tokens": "the shortest answer with a decode speed, by definition",
    "3 GB": "of how far two readings of memory may differ, by definition",
    "70 %": "the gate's pass rate, by definition",
    "256 K": "an advertised context length, in the question as asked",
    "196 K": "an advertised context length, in the question as asked",
    "512 GB": "the machine that the project is about",
}


@pytest.mark.parametrize("path", sorted(build.PAGES.rglob("*.md")), ids=lambda path: path.stem)
def test_a_page_holds_no_figure_of_its_own(path: Path) -> None:
    text = re.sub(
        r"\{\{.*?\}\}|\{%.*?%\}|`[^`]*`|```.*?```|\]\([^)]*\)", " ", path.read_text(encoding="utf-8"), flags=re.DOTALL
    )
    found = {squeezed(match[0]) for match in FIGURE.finditer(text)}
    assert found - ALLOWED.keys() == set()


def test_every_allowance_is_needed() -> None:
    text = " ".join(squeezed(path.read_text(encoding="utf-8")) for path in build.PAGES.rglob("*.md"))
    assert [figure for figure in ALLOWED if figure not in text] == []
