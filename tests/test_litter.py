"""What a Mac leaves beside files (`.DS_Store`, `._NAME` on exFAT and SMB) is nobody's data and stops nothing."""

import ast
import shutil
import subprocess
from pathlib import Path

import pytest

from collector import graders, ownership, store, suite
from collector.commands import review
from collector.schema import CLONE, Results
from site_src import layers
from site_src.warehouse import Warehouse
from tests.test_validate import run_file, said

# The beginning of an AppleDouble file: magic number 0x00051607, version 2, "Mac OS X"; no UTF-8 further on.
APPLE_DOUBLE = bytes.fromhex("0005160700020000") + b"Mac OS X        \x00\x02\x00\x00\x00\x09\xff\xfe\x80"
# These look at names of their own, or have no folder that a Mac's user sees.
OTHERWISE = {
    "collector/commands/review.py": "is_litter",
    "collector/commands/validate.py": "is_litter",
    "collector/material.py": "it leaves out every part of a path with a dot",
    "collector/sandbox/guests/project.py": "in the sandbox",
    "collector/wheel.py": "what pip downloaded into a folder of ours",
}


def beside(path: Path) -> Path:
    """The attributes of a file, where the disk has no place for them."""
    litter = path.with_name(f"._{path.name}")
    litter.write_bytes(APPLE_DOUBLE)
    return litter


@pytest.fixture
def littered(results: Results) -> Results:
    """A results folder with one run, on an exFAT disk that the Finder has shown."""
    path = run_file(results)
    results.journals.mkdir(exist_ok=True)
    for name in (".journal/000000000001.jsonl", ".journal/x.part", "models.csv"):
        beside(results.root / name)
    beside(path)
    for folder in (results.root, results.runs):
        (folder / ".DS_Store").write_bytes(b"\x00\x00\x00\x01Bud1")
    return results


def test_results_are_those_that_somebody_made(littered: Results) -> None:
    warehouse = Warehouse(littered)
    assert warehouse.rows("select count(*) as n from runs") == [{"n": 1}]
    assert warehouse.rows("from damaged_files") == []
    assert len(ownership.stored(littered)) == 1
    before = sorted(littered.journals.iterdir())
    assert (store.recover(littered), store.sweep(littered)) == ([], [])
    assert set(before) <= set(littered.journals.iterdir())


def test_they_are_no_mistake_of_who_validates(littered: Results) -> None:
    assert said("--results", littered.root, littered.root) == (0, ["1 file checked: 0 errors, 0 warnings."])
    assert said("--results", littered.root, littered.runs) == (0, ["1 file checked: 0 errors, 0 warnings."])


def test_they_are_no_part_of_a_contribution(littered: Results, tmp_path: Path) -> None:
    seen = [one.path for one in review._look(Results(tmp_path / "other"), littered.root, ())]
    assert seen == ownership.stored(littered)


def test_what_git_would_publish_is_an_error_whoever_left_it(littered: Results) -> None:
    subprocess.run(["git", "init", "--quiet", str(littered.root)], check=True)
    code, lines = said("--results", littered.root, littered.root)
    assert (code, {line.split(":")[0] for line in lines[:-1]}) == (1, {"error"})
    ignored = (CLONE / ".gitignore").read_text(encoding="utf-8").replace("results/", "")
    (littered.root / ".git" / "info" / "exclude").write_text(ignored, encoding="utf-8")
    assert said("--results", littered.root, littered.root) == (0, ["1 file checked: 0 errors, 0 warnings."])


def test_a_clone_among_them_has_the_same_views_suites_and_graders(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    views, suites, fingerprint = layers.in_layers(), suite.names(), graders.fingerprint(True)
    for module, name in ((layers, "VIEWS"), (suite, "FOLDER"), (graders, "FOLDER")):
        copy = tmp_path / module.__name__
        shutil.copytree(getattr(module, name), copy, ignore=shutil.ignore_patterns("__pycache__"))
        for path in [path for path in copy.rglob("*.*") if path.is_file()]:
            beside(path)
        monkeypatch.setattr(module, name, copy)
    assert (layers.in_layers().keys(), suite.names(), graders.fingerprint(True)) == (views.keys(), suites, fingerprint)


def loose(path: Path) -> list[str]:
    """The patterns by which a file takes whatever lies somewhere, `._NAME` too."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    kept = {id(part) for call in calls if ast.unparse(call.func) == "litter.without" for part in ast.walk(call)}
    taking = [call for call in calls if isinstance(call.func, ast.Attribute) and call.func.attr in ("glob", "rglob")]
    return [ast.unparse(call) for call in taking if id(call) not in kept and ast.unparse(call.args[0])[1:2] in "*k"]


def test_nothing_takes_whatever_lies_in_a_folder() -> None:
    own = {
        path.relative_to(CLONE).as_posix(): loose(path)
        for folder in ("collector", "site_src")
        for path in (CLONE / folder).rglob("*.py")
        if "material" not in path.parts
    }
    assert {name: found for name, found in own.items() if found and name not in OTHERWISE} == {}
