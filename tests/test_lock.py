"""requirements.lock: everything pinned with hashes, all that pyproject.toml asks for; and what scripts/audit says."""

import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from collector.schema import CLONE
from tests.test_workflows import STAMP

LOCKS = (CLONE / "requirements.lock", CLONE / "requirements-test.lock")
PROJECT: dict[str, Any] = tomllib.loads((CLONE / "pyproject.toml").read_text(encoding="utf-8"))
EXTRAS: dict[str, list[str]] = PROJECT["project"]["optional-dependencies"]
WANTED = [
    *((LOCKS[0], wanted) for wanted in (*PROJECT["build-system"]["requires"], *PROJECT["project"]["dependencies"])),
    *((LOCKS[name == "test"], wanted) for name, extra in EXTRAS.items() for wanted in extra),
]


def entries(*locks: Path) -> list[str]:
    """Each requirement with its hashes, on one line."""
    texts = (re.sub(r"^ *#.*\n", "", lock.read_text(encoding="utf-8"), flags=re.MULTILINE) for lock in locks)
    return [line for text in texts for line in text.replace("\\\n", " ").splitlines() if line]


def test_every_line_is_a_version_with_its_hashes_and_nothing_else() -> None:
    """No address of an index either: which one is asked is for the machine to say."""
    line = re.compile(r"[a-z0-9][a-z0-9._-]*==[0-9][a-z0-9.+!]*(?: ; [^#]+?)?(?: +--hash=sha256:[0-9a-f]{64})+")
    assert len(entries(*LOCKS)) > 50
    assert [entry for entry in entries(*LOCKS) if not line.fullmatch(entry)] == []


def test_what_the_demo_installs_is_none_of_the_tests() -> None:
    """So that scripts/demo waits for no scipy, and no Python is refused for want of its wheel."""
    first, second = ({entry.partition("==")[0] for entry in entries(lock)} for lock in LOCKS)
    assert first & second == set()
    assert {"scipy", "numpy", "mypy", "pytest", "ruff", "playwright"} <= second


@pytest.mark.parametrize(("lock", "wanted"), WANTED, ids=[wanted for _, wanted in WANTED])
def test_what_the_project_wants_is_pinned_within_its_bounds(lock: Path, wanted: str) -> None:
    requirement = Requirement(wanted)
    pinned = [Requirement(entry.partition(" --hash")[0]) for entry in entries(lock)]
    own = [one for one in pinned if canonicalize_name(one.name) == canonicalize_name(requirement.name)]
    assert own, f"{requirement.name} is not in requirements.lock; run scripts/lock"
    versions = [str(one.specifier).removeprefix("==") for one in own]
    assert [version for version in versions if not requirement.specifier.contains(version)] == [], "run scripts/lock"


def test_an_editable_installation_needs_no_build_that_is_not_pinned() -> None:
    assert any(entry.startswith("editables==") for entry in entries(LOCKS[0]))
    texts = [(CLONE / "scripts" / name).read_text(encoding="utf-8") for name in ("setup", "setup-tests")]
    lines = [line.split() for text in texts for line in text.splitlines()]
    checked = ["--require-hashes", "--only-binary", ":all:", "--requirement", "requirements.lock"]
    assert [line[1:] for line in lines if line and line[0] == "into_venv"] == [
        checked,
        ["--no-build-isolation", "--no-deps", "--editable", "."],
        [*checked, "--requirement", "requirements-test.lock"],
    ]


def test_no_script_and_no_workflow_installs_anything_else() -> None:
    files = [*(CLONE / "scripts").iterdir(), *(CLONE / ".github" / "workflows").iterdir(), CLONE / ".ci" / "run"]
    found = {
        path.name: line.strip()
        for path in files
        if path.is_file()
        for line in path.read_text(encoding="utf-8").splitlines()
        if re.search(r"\b(?:pip|uv pip|uv|pipx|npm) (?:install|add|run)\b", line) and "error:" not in line
    }
    assert found.keys() == {"setup", "lock"}, found
    assert found["lock"].endswith("install --quiet --require-hashes --only-binary :all: --requirement scripts/uv.lock")


# ---------------------------------------------------------------- advisories


SCRIPTS = ("setup", "setup-tests", "audit")
MORE = "cksum requirements-test.lock scripts/setup-tests | cksum"  # as scripts/setup-tests makes its stamp
GOOD = {"name": "click", "version": "8.4.0", "vulns": []}
BAD = {**GOOD, "name": "h11", "vulns": [{"id": "GHSA-x", "fix_versions": ["1.1"]}]}
SKIPPED = {"name": "altair", "skip_reason": "Dependency not found on PyPI and could not be audited"}


@pytest.mark.parametrize(
    ("report", "code", "words"),
    [
        ([GOOD], 0, "1 of 1 packages audited, 0 with advisories."),
        ([GOOD, BAD], 1, "error: h11 8.4.0: GHSA-x; mended in 1.1. Run scripts/lock --upgrade."),
        ([GOOD, SKIPPED], 2, "1 of 2 packages audited, 0 with advisories.\nerror: not audited: altair. Try again"),
        ([SKIPPED, BAD], 1, "error: not audited: altair."),
        ([], 2, "0 of 0 packages audited"),
        (None, 2, "error: nothing was audited: pip-audit gave no report"),
    ],
)
def test_an_audit_says_what_it_looked_at_and_silence_is_no_good_news(
    report: list[Any] | None, code: int, words: str, tmp_path: Path
) -> None:
    """pip-audit itself ends well where no package is known to the index that it asked."""
    for name in ("pyproject.toml", *(lock.name for lock in LOCKS), *("scripts/" + name for name in SCRIPTS)):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes((CLONE / name).read_bytes())
    programs = tmp_path / ".venv" / "bin"
    programs.mkdir(parents=True)
    (programs / "python").symlink_to(sys.executable)
    said = "" if report is None else json.dumps({"dependencies": report})
    (programs / "pip-audit").write_text(f"#!/bin/sh\ncat <<'END'\n{said}\nEND\nexit 1\n")
    (programs / "pip-audit").chmod(0o755)
    stamp = subprocess.run(["bash", "-c", STAMP], cwd=tmp_path, capture_output=True, text=True, check=True).stdout
    (tmp_path / ".venv" / ".stamp").write_text(stamp)
    more = subprocess.run(["bash", "-c", MORE], cwd=tmp_path, capture_output=True, text=True, check=True).stdout
    (tmp_path / ".venv" / ".stamp-tests").write_text(f"{stamp.strip()} {more}")
    asked = ["bash", str(tmp_path / "scripts" / "audit")]
    done = subprocess.run(asked, capture_output=True, text=True, check=False)
    assert (done.returncode, words in done.stdout, done.stderr) == (code, True, ""), done.stdout
