"""What a block is made of besides answers: code, words, versions. Each as a digest that changes when it does.

Code is that of the running process: a module edited since is not what runs. Charts are read anew at each use, and so
are their digests.
"""

import ast
import functools
import hashlib
import sys
from collections.abc import Iterable
from importlib import metadata
from pathlib import Path

from collector import litter

OWN = ("site_src", "collector")
HERE = Path(__file__).parent.parent
CHARTS = HERE / "charts"


def digest(*parts: str | bytes) -> bytes:
    """Of all parts; where one ends and the next begins counts."""
    made = hashlib.blake2b(digest_size=16)
    for part in parts:
        data = part.encode("utf-8", "surrogatepass") if isinstance(part, str) else part
        made.update(len(data).to_bytes(8, "big") + data)
    return made.digest()


@functools.cache
def code(module: str) -> bytes:
    """Of a module's source and that of every module of ours that it imports, directly or through others."""
    return digest(*(part for name in sorted(_closure(module)) for part in (name, _source(name))))


def chart(name: str) -> bytes:
    """Of a chart's file, as it is now, and of what it imports."""
    path = CHARTS / f"{name}.py"
    source = path.read_bytes()
    return digest(source, *(code(module) for module in sorted(_imports(source, f"site_src.charts.{name}"))))


def words(language: str, is_english: bool) -> bytes:
    """Of the files of words in English, to which every language falls back, and of this one's own."""
    folders = [HERE] if is_english else [HERE, HERE / language]
    return digest(
        language, *(path.read_bytes() for folder in folders for path in litter.without(folder.glob("*.toml")))
    )


@functools.cache
def versions() -> bytes:
    """Of Python and of every package that is installed."""
    found = {f"{one.metadata['Name']} {one.version}" for one in metadata.distributions()}
    return digest(sys.version, *sorted(found))


def _closure(module: str) -> set[str]:
    found: set[str] = set()
    wanted = {module}
    while wanted:
        name = wanted.pop()
        found.add(name)
        wanted |= _imports(_source(name), name) - found
    return found


@functools.cache
def _source(module: str) -> bytes:
    path = _path(module)
    assert path, module
    return path.read_bytes()


@functools.lru_cache(maxsize=500)
def _imports(source: bytes, module: str) -> set[str]:
    """The modules of ours that a source names, and the packages they are in."""
    named: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            named |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            named |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    own = {name for name in named if name.split(".")[0] in OWN}
    return {name for name in _with_packages(own) if _path(name)} - {module}


def _with_packages(names: Iterable[str]) -> set[str]:
    return {".".join(parts[:end]) for parts in (name.split(".") for name in names) for end in range(1, len(parts) + 1)}


@functools.cache
def _path(module: str) -> Path | None:
    """Of a module's file; None for something in a module."""
    path = HERE.parent.joinpath(*module.split("."))
    return next((file for file in (path.with_suffix(".py"), path / "__init__.py") if file.is_file()), None)
