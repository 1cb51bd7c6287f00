"""The site over each world, built once for all processes of a test run."""

import fcntl
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from collector.schema import CLONE, Results
from tests import worlds
from tests.programs import finish, program


@dataclass(frozen=True)
class BuiltWorld:
    """A world, and the site made of it."""

    name: str
    results: Results
    site: Path

    @property
    def pages(self) -> list[Path]:
        """Every page of both languages."""
        return sorted(self.site.rglob("*.html"))


def built(name: str, tmp_path_factory: pytest.TempPathFactory) -> BuiltWorld:
    """Make a world and build its site strictly, unless another process has; then wait for it."""
    shared = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        shared = shared.parent
    folder = shared / f"world {name}"
    folder.mkdir(exist_ok=True)
    world = BuiltWorld(name, Results(folder / "results"), folder / "site")
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        said = folder / "said"
        if not said.exists():
            worlds.make(name, world.results.root)
            done = build(world.results, world.site)
            said.write_text(f"{done.returncode}\n{done.stderr}", encoding="utf-8")
        code, _, stderr = said.read_text(encoding="utf-8").partition("\n")
    assert code == "0", stderr
    assert "WARNING" not in stderr, stderr
    return world


def build(results: Results, site: Path) -> "subprocess.CompletedProcess[str]":
    """`mkdocs build --strict` over these results, both languages."""
    command = program("python", "-m", "mkdocs", "build", "--strict", "--site-dir", str(site))
    return finish(command, cwd=CLONE, timeout=600, LLM_RESULTS=str(results.root))
