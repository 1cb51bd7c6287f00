"""Whose a file of results is: this repository's, or somebody else's contribution.

A results folder lists the public keys of its owners in `keys.toml`, and in `unsigned.sha256` the hashes of files that
are theirs without a signature: what was stored before there were any. Any other file is contributed. A folder without
`keys.toml` is all its owner's.
"""

import re
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from collector import clock, litter, signing, whole
from collector.errors import KeyUnusable
from collector.schema import Results

LINE = re.compile(r"([0-9a-f]{64}) [ *](\S.*)")  # as sha256sum writes and checks it
HEAD = """\
# Whose measurements this repository's figures, answers and picks rest on. A file of results that none of these keys
# signed, and that unsigned.sha256 does not list, is shown as contributed. `collect keys` shows, adds and removes.
"""
MEND = "Take the file again from git, or mend that line."


@dataclass(frozen=True)
class Owners:
    """The keys and hashes that make a file this repository's; `is_claimed` is false where nobody has said so."""

    keys: frozenset[str] = frozenset()
    files: frozenset[str] = frozenset()
    is_claimed: bool = False
    is_template: bool = False

    def contributor(self, signed_by: str | None, sha256: str) -> str | None:
        """None of a file that is this repository's; else its key's short name, or that it is not signed."""
        if not self.is_claimed or signed_by in self.keys or sha256 in self.files:
            return None
        return signing.short(signed_by) if signed_by else f"unsigned {sha256[: signing.SHORT]}"


def read(results: Results) -> Owners:
    """What the folder says. Raises KeyUnusable where it cannot be read, for then nobody's may pass for the owner's."""
    listed = _text(results.unsigned)
    files = [_hash(line) for line in listed.splitlines() if line.strip()] if listed else []
    told = _text(results.keys)
    if told is None:
        return Owners(files=frozenset(files))
    try:
        said = tomllib.loads(told)
        keys = [key["public"] for key in said.get("key", [])]
        is_template = said.get("template", False)
    except (tomllib.TOMLDecodeError, AttributeError, KeyError, TypeError) as error:
        raise KeyUnusable(f"{results.keys} cannot be read: {_first_line(error)}.", MEND) from None
    for key in keys:
        if not (isinstance(key, str) and signing.PUBLIC.fullmatch(key)):
            raise KeyUnusable(f"{results.keys} lists what is no public key: {str(key)[:60]!r}.", MEND)
    return Owners(frozenset(keys), frozenset(files), True, is_template is True)


def claim(results: Results, public: str) -> int:
    """Make a folder that is nobody's, or the template's, the owner's of this key; how many files became so by hash.

    All that lies in a folder without keys is its owner's, and stays so. Raises KeyUnusable.
    """
    before = read(results)
    if before.is_claimed and not before.is_template:
        return 0
    new = [] if before.is_claimed else _others(results, before, public)
    _add_files(results, new)
    _write(results.keys, HEAD + _entry(public))
    return len(new)


def add_key(results: Results, public: str) -> bool:
    """List a key; whether it was not before. Raises KeyUnusable."""
    before = read(results)
    if public in before.keys:
        return False
    if not before.is_claimed or before.is_template:
        claim(results, public)
    else:
        _write(results.keys, f"{(_text(results.keys) or HEAD).rstrip()}\n{_entry(public)}")
    return True


def add_files(results: Results, paths: Iterable[Path]) -> int:
    """List these files of the folder by their hashes; how many were not. Raises KeyUnusable."""
    known = read(results).files
    new = [(whole.digest(path), _place(results, path)) for path in paths]
    new = [(digest, place) for digest, place in new if digest not in known]
    _add_files(results, new)
    return len(new)


def remove_key(results: Results, public: str) -> None:
    """Take a key out of the list; what it signed is contributed from then on. Raises KeyUnusable."""
    text = _text(results.keys) or ""
    blocks = re.split(r"(?=^\[\[key\]\])", text, flags=re.MULTILINE)
    _write(results.keys, "".join(block for block in blocks if f'"{public}"' not in block).rstrip() + "\n")


def stored(results: Results) -> list[Path]:
    """The files of results in a folder, by kind and name."""
    kinds = (results.runs, results.grades, results.votes)
    return [path for kind in kinds for path in litter.without(kind.glob("*.parquet")) if path.is_file()]


def _others(results: Results, owners: Owners, public: str) -> list[tuple[str, str]]:
    """Hash and place of the files that lie there and do not name this key, and are not listed yet."""
    unnamed = [path for path in stored(results) if public.encode() not in path.read_bytes()]
    found = [(whole.digest(path), _place(results, path)) for path in unnamed]
    return [(digest, place) for digest, place in found if digest not in owners.files]


def _place(results: Results, path: Path) -> str:
    return path.resolve().relative_to(results.root.resolve()).as_posix()


def _entry(public: str) -> str:
    return f'\n[[key]]  # {signing.short(public)}\npublic = "{public}"\nadded = {clock.utc_now():%Y-%m-%d}\n'


def _add_files(results: Results, new: Iterable[tuple[str, str]]) -> None:
    lines = [f"{digest}  {place}\n" for digest, place in new]
    if lines:
        before = (_text(results.unsigned) or "").rstrip("\n")
        _write(results.unsigned, (f"{before}\n" if before else "") + "".join(lines))


def _hash(line: str) -> str:
    found = LINE.fullmatch(line)
    if not found:
        raise KeyUnusable(f"A line of unsigned.sha256 is no hash with a file's name: {line[:80]!r}.", MEND)
    return found[1]


def _text(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8") if path.is_file() else None
    except (OSError, UnicodeDecodeError) as error:
        raise KeyUnusable(f"{path} cannot be read: {_first_line(error)}.", MEND) from None


def _write(path: Path, text: str) -> None:
    """Raises KeyUnusable."""
    try:
        whole.write(path, text.encode(), unfinished=Results(path.parent).journals)
    except OSError as error:
        raise KeyUnusable(
            f"{path} could not be written: {error.strerror or error}.", "Make room or mend the folder, and try again."
        ) from None


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0].rstrip(".")
