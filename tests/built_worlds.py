"""The site over each world, built once for all processes of a test run."""

import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from collector.schema import CLONE, Results
from tests import worlds
from tests.programs import finish, once, program


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
    """A world with its site, built strictly."""

    def make(folder: Path) -> "subprocess.CompletedProcess[str]":
        worlds.make(name, folder / "results")
        return build(Results(folder / "results"), folder / "site")

    folder, done = once(f"world {name}", tmp_path_factory, make)
    assert done.returncode == 0, done.stderr
    assert "WARNING" not in done.stderr, done.stderr
    return BuiltWorld(name, Results(folder / "results"), folder / "site")


def build(results: Results, site: Path) -> "subprocess.CompletedProcess[str]":
    """`mkdocs build --strict` over these results, both languages."""
    command = program("python", "-m", "mkdocs", "build", "--strict", "--site-dir", str(site))
    return finish(command, cwd=CLONE, timeout=600, LLM_RESULTS=str(results.root))
