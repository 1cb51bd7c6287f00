"""Instead of a folder of thousands of files one file is watched, which is touched when the folder changes."""

from collections.abc import Callable
from pathlib import Path

import pytest

from site_src.watching import stand_in
from tests.programs import until


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "runs").mkdir()
    (tmp_path / "runs" / "old.parquet").touch()
    return tmp_path / "runs"


@pytest.mark.parametrize(
    "change",
    [
        lambda folder: (folder / "new.parquet").touch(),
        lambda folder: (folder / "old.parquet").rename(folder / "other.parquet"),
        lambda folder: (folder / "old.parquet").unlink(),
        lambda folder: folder.rename(folder.with_name("away")),
    ],
    ids=["comes", "is renamed", "goes", "the folder goes"],
)
def test_it_is_touched_when_a_file(change: Callable[[Path], object], folder: Path) -> None:
    watched = stand_in([folder, folder.with_name("not there")])
    before = watched.stat().st_mtime_ns
    change(folder)
    until(lambda: watched.stat().st_mtime_ns > before, "a touch", patience_s=30)


def test_a_folder_that_comes_later_is_seen(folder: Path) -> None:
    watched = stand_in([folder.with_name("grades")])
    before = watched.stat().st_mtime_ns
    folder.with_name("grades").mkdir()
    until(lambda: watched.stat().st_mtime_ns > before, "a touch", patience_s=30)
