"""What prompts supply: folders of files in `suites/material/`."""

from pathlib import Path

FOLDER = Path(__file__).parent / "suites" / "material"
WORDS = ("before.md", "after.md")  # of the prompt, around the files


def read(folder: Path) -> dict[str, str]:
    """The text of each file of a folder by its path in it, sorted; without what tools leave behind."""
    found = {path.relative_to(folder): path for path in folder.rglob("*") if path.is_file()}
    return {
        name.as_posix(): path.read_text(encoding="utf-8")
        for name, path in sorted(found.items())
        if not any(part.startswith((".", "__pycache__")) for part in name.parts)
    }
