"""The same results make the same site, to the byte: on another day, elsewhere, and whatever was read before."""

import os
import shutil
from pathlib import Path

import pytest

from collector.schema import CLONE, Results
from site_src.warehouse import Warehouse
from tests.built_worlds import built
from tests.programs import finish, program

OTHERWISE = {"SOURCE_DATE_EPOCH": "86400", "PYTHONHASHSEED": "7", "TZ": "Asia/Shanghai", "LC_ALL": "C"}


def contents(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_two_builds_of_the_same_results_are_the_same(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    world = built("one run", tmp_path_factory)
    copy = Results(tmp_path / "elsewhere" / "results")
    shutil.copytree(world.results.root, copy.root, ignore=shutil.ignore_patterns(".journal"))
    for path in copy.root.rglob("*"):
        os.utime(path, (10**9, 10**9))
    Warehouse(copy)  # so that this build reads what was kept, and the other read the files
    site = tmp_path / "elsewhere" / "site"
    command = program("python", "-m", "mkdocs", "build", "--strict", "--site-dir", str(site))
    done = finish(command, cwd=CLONE, timeout=600, LLM_RESULTS=str(copy.root), **OTHERWISE)
    assert done.returncode == 0, done.stderr
    one, other = contents(world.site), contents(site)
    assert one.keys() == other.keys()
    assert [name for name in one if one[name] != other[name]] == []
