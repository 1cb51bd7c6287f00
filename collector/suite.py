"""Suites of prompts: `suites/NAME.toml`, with the material that prompts supply in `suites/material/`.

A prompt's hash covers its whole text, material included, and its token limit: a changed prompt is another prompt,
and its figures never blend with the old one's.
"""

import functools
import hashlib
import os
import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from collector import graders, litter, material
from collector.errors import SuiteInvalid
from collector.graders import Check

FOLDER = Path(__file__).parent / "suites"
PLACEHOLDER = "[示例代码]"


@dataclass(frozen=True)
class Prompt:
    """One prompt as it is sent. `max_tokens` limits what the model may generate.

    `language` is the one to answer in, `checks` what is asked of the answer: neither is part of what is sent.
    """

    id: str
    category: str
    text: str
    max_tokens: int
    language: str | None = None
    checks: tuple[Check, ...] = ()

    @property
    def sha256(self) -> str:
        """Hash of what makes the prompt this prompt."""
        return hashlib.sha256(f"{self.max_tokens}\0{self.text}".encode()).hexdigest()


@dataclass(frozen=True)
class Suite:
    """A named list of prompts, in sending order."""

    name: str
    title: str
    prompts: tuple[Prompt, ...]

    @property
    def sha256(self) -> str:
        """Hash of all its prompts, in order."""
        joined = "\n".join(f"{prompt.id} {prompt.sha256}" for prompt in self.prompts)
        return hashlib.sha256(joined.encode()).hexdigest()


def names() -> list[str]:
    """The suites there are."""
    return [path.stem for path in litter.without(FOLDER.glob("*.toml"))]


def read(name: str) -> Suite:
    """The suite of that name; `standard+coding-agent` is both, one after the other. Raises SuiteInvalid."""
    parts = [_read(part) for part in name.split("+")]
    titles, prompts = [part.title for part in parts], [prompt for part in parts for prompt in part.prompts]
    if len({prompt.id for prompt in prompts}) < len(prompts):
        raise SuiteInvalid(f"The suites {name!r} have prompts in common.", "Name each suite once.")
    return Suite(name, "; ".join(titles), tuple(prompts))


def known() -> dict[str, Prompt]:
    """Every prompt of every suite by its hash. Raises SuiteInvalid."""
    return dict(_known(tuple(sorted(_stamps(FOLDER))), tuple(graders.names("Q1"))))


@functools.lru_cache(maxsize=1)  # until a suite or its material is edited: to read all of them takes 9 ms
def _known(*_made_of: object) -> dict[str, Prompt]:
    return {prompt.sha256: prompt for name in names() for prompt in _read(name).prompts}


def _stamps(folder: Path | str) -> Iterator[tuple[str, int, int]]:
    """Each file with what changes when it does."""
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_dir():
                yield from _stamps(entry.path)
            elif entry.is_file():
                status = entry.stat()
                yield entry.path, status.st_mtime_ns, status.st_size


def _read(name: str) -> Suite:
    if name not in names():
        raise SuiteInvalid(f"There is no suite {name!r}.", f"Choose one of: {', '.join(names())}.")
    path = FOLDER / f"{name}.toml"
    mend = f"Mend {path.relative_to(FOLDER.parent.parent)}."
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
        prompts = tuple(_prompt(entry, table.get("language")) for entry in table["prompt"])
        suite = Suite(table["name"], table["title"], prompts)
    except (ValueError, KeyError, TypeError, OSError) as error:  # ValueError: no TOML, UTF-8 or number
        raise SuiteInvalid(f"Suite {name!r} cannot be read: {error!r}.", mend) from None
    ids = [prompt.id for prompt in prompts]
    if not prompts or len(set(ids)) != len(ids) or suite.name != name:
        raise SuiteInvalid(f"Suite {name!r} needs prompts with ids of their own and its file's name.", mend)
    return suite


def _prompt(entry: dict[str, Any], language: str | None) -> Prompt:
    text = entry["text"]
    if "material" in entry:
        supplied = render(FOLDER / "material" / entry["material"])
        text = text.replace(PLACEHOLDER, f"\n\n{supplied}") if PLACEHOLDER in text else f"{text}\n\n{supplied}"
    checks = tuple(_check(declared) for declared in entry.get("check", []))
    if len({check.id for check in checks}) < len(checks):
        raise ValueError(f"checks of {entry['id']} need ids of their own")
    return Prompt(entry["id"], entry["category"], text, int(entry["max_tokens"]), language, checks)


def _check(declared: dict[str, Any]) -> Check:
    name = declared["grader"]
    if name not in graders.names("Q1"):
        raise ValueError(f"there is no grader {name!r} for a check")
    return Check(declared.get("id", name), name, declared)


def render(folder: Path) -> str:
    """A folder of material as text: `before.md`, then each file under its path in a fence, then `after.md`."""
    files = {name: text.strip() for name, text in material.read(folder).items()}
    if not files:
        raise OSError(f"no material in {folder.name}")
    before, after = (files.pop(name, None) for name in material.WORDS)
    fenced = [_fenced(name, text) for name, text in files.items()]
    return "\n\n".join(part for part in (before, *fenced, after) if part)


def _fenced(path: str, text: str) -> str:
    longest = max((len(run) for run in re.findall("`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    language = {".py": "python", ".toml": "toml", ".md": "markdown", ".json": "json"}.get(Path(path).suffix, "")
    return f"{path}\n{fence}{language}\n{text}\n{fence}"
