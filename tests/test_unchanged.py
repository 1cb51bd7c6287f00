"""Files of the site that did not change are left as they lie; what is no more goes."""

import logging
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from mkdocs.commands.build import build
from mkdocs.config import load_config

from collector.schema import CLONE

Built = Callable[[], Path]
PROJECT = f"""
site_name: Two pages
site_url: http://127.0.0.1/
theme: {{name: mkdocs}}
plugins: []
hooks: [{CLONE}/site_src/unchanged.py]
extra: {{other: {{folder: zh/}}}}
"""
LONG_AGO = 10**9


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "docs/deep").mkdir(parents=True)
    (tmp_path / "mkdocs.yml").write_text(PROJECT)
    (tmp_path / "docs/index.md").write_text("# One\n")
    (tmp_path / "docs/deep/two.md").write_text("# Two\n")
    (tmp_path / "docs/data.csv").write_text("a,b\n")
    return tmp_path


@pytest.fixture
def built(project: Path, monkeypatch: pytest.MonkeyPatch) -> Built:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "0")  # which this theme writes into a page

    def make() -> Path:
        config = load_config(str(project / "mkdocs.yml"))
        config.plugins.on_startup(command="build", dirty=False)
        build(config)
        return project / "site"

    return make


def aged(site: Path) -> dict[str, str]:
    """All files of the site as if written long ago, and what is in them."""
    files = [path for path in site.rglob("*") if path.is_file()]
    for path in files:
        os.utime(path, (LONG_AGO, LONG_AGO))
    return {path.relative_to(site).as_posix(): path.read_text("latin-1") for path in files}


def written(site: Path) -> set[str]:
    files = (path for path in site.rglob("*") if path.is_file())
    return {path.relative_to(site).as_posix() for path in files if path.stat().st_mtime != LONG_AGO}


def test_nothing_but_what_a_builder_makes_of_all_is_written_again(built: Built) -> None:
    before = aged(built())
    site = built()
    assert {"index.html", "deep/two/index.html", "data.csv"} <= before.keys()
    assert {name for name in written(site) if "sitemap" not in name and name != "404.html"} == set()
    assert aged(site).keys() == before.keys()


@pytest.mark.parametrize(
    ("edited", "page"),
    [("index.md", "index.html"), ("deep/two.md", "deep/two/index.html"), ("data.csv", "data.csv")],
)
def test_what_has_changed_is_written(built: Built, project: Path, edited: str, page: str) -> None:
    aged(built())
    (project / "docs" / edited).write_text("# Six\n" if edited.endswith(".md") else "a,c\n")
    site = built()
    assert page in written(site)
    assert ("Six" if edited.endswith(".md") else "a,c") in (site / page).read_text()


def test_what_somebody_damaged_in_the_site_is_mended(built: Built) -> None:
    before = aged(built())
    site = built()
    for name in ("index.html", "data.csv"):
        content = (site / name).read_text()
        (site / name).write_text(content.swapcase())
        os.utime(site / name, (LONG_AGO, LONG_AGO))
    assert aged(built())["index.html"] == before["index.html"]
    assert (site / "data.csv").read_text() == "a,b\n"


def test_what_is_no_more_goes_and_what_is_hidden_or_another_languages_stays(built: Built, project: Path) -> None:
    site = built()
    for name in ("old/page/index.html", "old.csv", ".nojekyll", ".git/config", "zh/index.html"):
        (site / name).parent.mkdir(parents=True, exist_ok=True)
        (site / name).write_text("here before")
    aged(site)
    (project / "docs/deep/two.md").unlink()
    there = aged(built()).keys()
    assert {".nojekyll", ".git/config", "zh/index.html", "index.html"} <= there
    assert not {"old/page/index.html", "old.csv", "deep/two/index.html"} & there
    assert not (site / "old").exists() and not (site / "deep").exists()


def test_a_link_where_a_file_was_is_no_reason_to_fail(built: Built) -> None:
    site = built()
    (site / "nowhere").symlink_to("/nonexistent")
    os.utime(site / "nowhere", (LONG_AGO, LONG_AGO), follow_symlinks=False)
    assert not (built() / "nowhere").is_symlink()


def test_what_is_told_is_of_the_sites_folder_and_no_page_is_called_empty(
    built: Built, caplog: pytest.LogCaptureFixture
) -> None:
    logging.getLogger("mkdocs").setLevel(logging.INFO)
    with caplog.at_level(logging.INFO, "mkdocs"):
        site = built()
        built()
    assert f"Building documentation to directory: {site}" in caplog.messages
    assert not [said for said in caplog.messages if "Page skipped" in said]


def test_a_build_that_fails_leaves_the_site_as_it_was(built: Built, project: Path) -> None:
    before = aged(built())
    (project / "docs/index.md").write_text("---\ntemplate: none.html\n---\n# One\n")
    with pytest.raises(Exception, match=r"none\.html"):
        built()
    assert aged(project / "site") == before
