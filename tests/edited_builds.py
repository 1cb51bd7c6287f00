"""Builds over a warm cache after one edit after the other, each held against a build from nothing.

    python -m tests.edited_builds FOLDER [--by-one]      in a copy of the clone, which is edited

A second call with the same FOLDER is a build after whatever code was edited in between. Pictures are stand-ins:
another test draws them. Prints a JSON list: for each build what was edited, the files that are not the same, and how
many blocks were made and taken from before. With --by-one each edit has a build of its own, in both languages; else
edits that share no block go in one, and Chinese pages are made where Chinese words are edited.
"""

import json
import sys
from collections.abc import Callable
from pathlib import Path

from collector.schema import CLONE, Results
from site_src import build
from site_src.reuse import drawings, identity
from site_src.reuse.maker import Maker
from site_src.reuse.store import Store
from site_src.warehouse import Warehouse
from site_src.words import LANGUAGES
from tests import worlds
from tests.worlds import ALL_RIGHT, MINIMAX, World, plan

SITE = CLONE / "site_src"


def edited(path: Path, before: str, after: str) -> None:
    """Let this stand where that stood."""
    text = path.read_text(encoding="utf-8")
    assert before in text, f"{before!r} is not in {path.name}"
    path.write_text(text.replace(before, after), encoding="utf-8")


def changed(name: str, before: str, after: str) -> Callable[[], None]:
    """The same of a file of the site."""
    return lambda: edited(SITE / name, before, after)


def newer() -> None:
    identity.versions = lambda: b"a newer library"  # type: ignore[assignment]


def edits(world: World) -> list[dict[str, Callable[[], object]]]:
    """What is edited, build by build."""
    results, cells = world.results, plan()
    size = "MiniMax-M2.1,mlx-6bit,mlx,mlx,6bit,6,18"
    return [
        {"nothing": lambda: None},
        {
            "a word": changed("words.toml", 'filter = "Filter"', 'filter = "Sieve"'),
            "a heading": changed("words.toml", 'decode_tps = "decode"', 'decode_tps = "speed"'),
            "a page": changed("pages/results.md", "# ", "# All "),
        },
        {"a Chinese word": changed("zh/words.toml", 'filter = "筛选"', 'filter = "查找"')},
        {"a macro": changed("views/0_macros.sql", "gb(bytes) as bytes / 1e9", "gb(bytes) as bytes / 2e9")},
        {
            "a view": changed("views/3_marts/run_summary.sql", "create or replace", "-- Anew.\ncreate or replace"),
            "a chart": changed("charts/decode_by_configuration.py", "strokeWidth=2", "strokeWidth=3"),
            "a tree's words": changed("decision_tree.toml", "?", " ?"),
        },
        {
            "one more run": lambda: world.measure(cells[MINIMAX, "Q4_K_M"], repeats=2, speed=1.1),
            "a table": lambda: edited(results.root / "plan.csv", f"{size}0", f"{size}1"),
        },
        {"a vote": lambda: world.vote((MINIMAX, "4bit"), (MINIMAX, "Q4_K_M"), "a", "a", "b")},
        {"a grade gone": lambda: sorted(results.grades.glob("*.parquet"))[0].unlink()},
        {"a run gone": lambda: sorted(results.runs.glob("*.parquet"))[-1].unlink()},
        {"another version": newer},
    ]


def main() -> None:
    folder, is_by_one, is_first = Path(sys.argv[1]), "--by-one" in sys.argv, not Path(sys.argv[1]).exists()
    drawings.draw = lambda specification: f"<svg>{identity.digest(specification).hex()}</svg>"  # type: ignore[assignment]
    results = Results(folder / "results")
    steps: list[dict[str, Callable[[], object]]] = [{"code": lambda: None}]  # since the process before this one
    if is_first:
        results.root.mkdir(parents=True)
        (results.root / "plan.csv").write_bytes((CLONE / "results/plan.csv").read_bytes())
        world = World(results)
        for name in ("4bit", "Q4_K_M"):
            world.measure(plan()[MINIMAX, name], repeats=3, quality=ALL_RIGHT, **worlds.EVERYDAY)
        steps = edits(world)
    warehouse, store = Warehouse(results), Store(folder / "blocks.sqlite")
    if is_first:
        build.in_languages(Maker(warehouse, store))
    told = []
    for step in [{name: edit} for several in steps for name, edit in several.items()] if is_by_one else steps:
        for edit in step.values():
            edit()
        warehouse.refresh()
        maker, anew = Maker(warehouse, store), Maker(warehouse)
        anew.answers = maker.answers  # what a build asks once is not what is tried here
        languages = LANGUAGES if is_by_one or "a Chinese word" in step else LANGUAGES[:1]
        warm, cold = (build.in_languages(one, languages) for one in (maker, anew))
        wrong = [
            f"{language} {one.path}"
            for language in cold
            for one, other in zip(cold[language], warm[language], strict=True)
            if one != other
        ]
        told.append({"edited": ", ".join(step), "wrong": wrong, "made": maker.made, "reused": maker.reused})
    print(json.dumps(told))


if __name__ == "__main__":
    main()
