"""After any edit a build over a warm cache is the build from nothing, and what the edit does not concern is reused."""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from collector.schema import CLONE
from tests.edited_builds import edited
from tests.programs import environment, program

COPIED = ("collector", "site_src", "tests", "results")


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of this clone, to be edited."""
    folder = tmp_path_factory.mktemp("copy") / "clone"
    for name in COPIED:
        shutil.copytree(CLONE / name, folder / name, ignore=shutil.ignore_patterns("__pycache__", ".journal", "runs"))
    return folder


@pytest.fixture(scope="module")
def builds(clone: Path) -> list[dict[str, Any]]:
    """What the builds after each edit came to, and then one after code was edited."""
    first = run(clone)
    edited(clone / "site_src/charts_theme.py", '"labelFontSize": 12', '"labelFontSize": 13')
    return first + run(clone)


def run(clone: Path) -> list[dict[str, Any]]:
    command = program("python", "-m", "tests.edited_builds", str(clone.parent / "made"))
    values = environment(PYTHONPATH=str(clone))
    done = subprocess.run(command, cwd=clone, env=values, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stderr
    told: list[dict[str, Any]] = json.loads(done.stdout)
    return told


def test_every_file_is_what_a_build_from_nothing_makes(builds: list[dict[str, Any]]) -> None:
    assert len(builds) == 11
    assert {one["edited"]: one["wrong"] for one in builds if one["wrong"]} == {}


def test_what_an_edit_does_not_concern_is_taken_from_before(builds: list[dict[str, Any]]) -> None:
    made = {one["edited"]: (one["made"], one["reused"]) for one in builds}
    assert made["nothing"][0] == 0 < made["nothing"][1]
    chinese, vote = made["a Chinese word"], made["a vote"]
    assert 0 < chinese[0] < 1.3 * chinese[1]  # the English half, and specifications, are as they were
    assert 0 < vote[0] < vote[1]
    assert made["another version"][1] <= 2  # what stands on a page twice
