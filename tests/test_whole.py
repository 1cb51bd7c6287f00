"""The whole site of an earlier build stands for this one where nothing that it was made of has changed."""

import os
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from mkdocs.config import load_config
from mkdocs.structure.files import Files

from collector import clock
from collector.schema import CLONE, Results
from site_src import hooks
from site_src.made import Made, Site
from site_src.reuse import identity, store, whole
from site_src.reuse.store import Store
from tests.conftest import request

SITE = Site(
    {"en": [Made("index.md", "# Words"), Made("data/a.parquet", b"\0\1")], "zh": []}, "2026-11-30", ["told"], None
)


@pytest.fixture
def kept(tmp_path: Path) -> Store:
    return Store(tmp_path / "blocks.sqlite")


@pytest.fixture
def clone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A few files where a clone has very many."""
    folder = tmp_path / "clone"
    for name in ("collector/a.py", "site_src/b.py", "site_src/pages/c.md", "site_src/zh/pages/c.md", "results/plan.csv",
                 "site_src/views/3_marts/d.sql", "site_src/words.toml", "site_src/assets/e.css"):  # fmt: skip
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("before")
    monkeypatch.setattr(whole, "CLONE", folder)
    return folder


@pytest.fixture
def folder(results: Results) -> Results:
    """A results folder with a file of each kind."""
    for name in ("runs/a.parquet", "grades/a.parquet", "votes/a.parquet", "plan.csv", "keys.toml"):
        (results.root / name).parent.mkdir(parents=True, exist_ok=True)
        (results.root / name).write_text("before")
    return results


def test_what_was_kept_is_found_whole(kept: Store) -> None:
    assert whole.find(kept, b"key") is None
    whole.keep(kept, b"key", SITE)
    kept.close()
    assert whole.find(Store(kept._file), b"key") == SITE
    assert whole.find(Store(kept._file), b"other") is None


def test_a_site_of_which_a_file_is_gone_is_none(kept: Store) -> None:
    whole.keep(kept, b"key", SITE)
    assert kept._con
    kept._con.execute("delete from blocks where key = ?", (identity.digest("content", b"\0\1"),))
    assert whole.find(kept, b"key") is None


def test_it_stands_until_a_run_counts_that_was_from_the_future(kept: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    due = clock.utc_now() + timedelta(minutes=5)
    site = Site(SITE.made, SITE.day, SITE.told, due)
    whole.keep(kept, b"key", site)
    assert whole.find(kept, b"key") == site
    monkeypatch.setattr(clock, "utc_now", lambda: due)
    assert whole.find(kept, b"key") is None


EDITS: dict[str, Callable[[Path, Results], object]] = {
    "code": lambda clone, _: (clone / "collector/a.py").write_text("after"),
    "code of the site": lambda clone, _: (clone / "site_src/b.py").write_text("after"),
    "a page": lambda clone, _: (clone / "site_src/pages/c.md").write_text("after"),
    "a Chinese page": lambda clone, _: (clone / "site_src/zh/pages/c.md").write_text("after"),
    "a view": lambda clone, _: (clone / "site_src/views/3_marts/d.sql").write_text("after"),
    "words": lambda clone, _: (clone / "site_src/words.toml").write_text("after"),
    "an asset": lambda clone, _: (clone / "site_src/assets/e.css").write_text("after"),
    "a new page": lambda clone, _: (clone / "site_src/pages/new.md").write_text(""),
    "a page gone": lambda clone, _: (clone / "site_src/pages/c.md").unlink(),
    "the clone's table": lambda clone, _: (clone / "results/plan.csv").write_text("after"),
    "one more run": lambda _, results: (results.runs / "b.parquet").write_text("new"),
    "a run gone": lambda _, results: (results.runs / "a.parquet").unlink(),
    "a run replaced by one of its size": lambda _, results: replaced(results.runs / "a.parquet"),
    "a grade": lambda _, results: (results.grades / "b.parquet").write_text("new"),
    "a vote": lambda _, results: (results.votes / "b.parquet").write_text("new"),
    "a table": lambda _, results: (results.root / "plan.csv").write_text("after"),
    "a key": lambda _, results: (results.root / "keys.toml").write_text("after"),
}


def replaced(path: Path) -> None:
    path.write_text("fterwa")
    os.utime(path, ns=(1, path.stat().st_mtime_ns + 1))


@pytest.mark.parametrize("what", EDITS)
def test_any_file_that_it_is_made_of_makes_it_another(what: str, clone: Path, folder: Results) -> None:
    before = whole.key(folder, "http://a/")
    assert whole.key(folder, "http://a/") == before
    EDITS[what](clone, folder)
    assert whole.key(folder, "http://a/") != before


def test_so_do_settings_and_versions(clone: Path, folder: Results, monkeypatch: pytest.MonkeyPatch) -> None:
    keys = [whole.key(folder, *settings) for settings in (("a", "b"), ("ab",), ("a", "c"), ("a", "b", "zh"))]
    monkeypatch.setattr(identity, "versions", lambda: b"newer")
    keys.append(whole.key(folder, "a", "b"))
    assert len(set(keys)) == 5


def test_what_no_page_is_made_of_changes_nothing(clone: Path, folder: Results) -> None:
    before = whole.key(folder)
    (folder.root / ".journal").mkdir()
    (folder.root / ".journal/warehouse.duckdb").write_text("kept")
    (folder.root / ".DS_Store").write_text("a Mac's")
    (clone / "site_src/__pycache__").mkdir()
    (clone / "site_src/__pycache__/b.pyc").write_text("compiled")
    assert whole.key(folder) == before


def test_a_second_build_asks_nothing_and_a_new_run_is_built(
    given: Callable[..., object], results: Results, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "CACHE", tmp_path / "blocks.sqlite")
    monkeypatch.setattr(hooks, "LANGUAGES", ("en",))
    asked = []
    site = replace(SITE, made={"en": SITE.made["en"]})
    monkeypatch.setattr(hooks, "_made", lambda *_: asked.append("made") or site)
    given([request()])
    config = load_config(str(CLONE / "mkdocs.yml"))
    config.plugins._current_plugin = "hooks"
    files = [hooks.on_files(Files([]), config) for _ in range(2)]
    assert asked == ["made"]
    assert [[file.src_uri for file in one] for one in files] == [["index.md", "data/a.parquet"]] * 2
    given([{"run_id": "b" * 12}, request()])
    hooks.on_files(Files([]), config)
    assert asked == ["made"] * 2
    monkeypatch.setattr(hooks, "_command", ["serve"])
    hooks.on_files(Files([]), config)
    assert asked == ["made"] * 3  # a page that is open is made of what the process has at hand
