"""What a Mac leaves beside files, and git ignores.

`.DS_Store` is the Finder's note of a folder's looks. `._NAME` (AppleDouble) holds the attributes of the file NAME where
a disk has no place for them, as exFAT and SMB shares have none; it has NAME's ending and nothing of its content.
"""

from collections.abc import Iterable
from pathlib import Path


def without(paths: Iterable[Path]) -> list[Path]:
    """The files that somebody made, sorted: a name of ours never begins with a dot."""
    return sorted(path for path in paths if not path.name.startswith("."))


def is_litter(path: Path) -> bool:
    """Whether only a Mac made the file, by its name."""
    return path.name == ".DS_Store" or path.name.startswith("._")
