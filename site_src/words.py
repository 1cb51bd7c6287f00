"""The site's words in one language. What a translation lacks stays English and says so: `<span lang="en">`.

Names of models, machines and files are words of no language; which columns hold words, `[prose]` of words.toml says.
"""

import functools
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

from site_src import figures
from site_src.phrases import Phrases, Piece
from site_src.reuse import identity

HERE = Path(__file__).parent
LANGUAGES = ("en", "zh")  # the first is the one that all others fall back to


@dataclass(frozen=True)
class Words:
    """What pages are called and say in a language."""

    language: str
    digest: bytes  # changes with any of its words
    pages: Path
    headings: dict[str, str]
    blocks: dict[str, str]
    phrases: Phrases
    charts: dict[str, dict[str, str]]
    prose: re.Pattern[str]
    names: re.Pattern[str]

    @property
    def is_english(self) -> bool:
        """Whether these are the words that views and charts use."""
        return self.language == LANGUAGES[0]

    def block(self, name: str, **values: Any) -> str:
        """Words of a block, with its values in them; not escaped. Raises KeyError."""
        return self.blocks[name].format(**values)

    def heading(self, column: str) -> str:
        """A column's name for people, with its unit, as HTML."""
        if not self.is_english and column not in self.headings:
            return untranslated(escape(figures.heading(column)))
        return escape(self.named(column))

    def named(self, column: str) -> str:
        """The same as plain text."""
        said = self.headings.get(column, column.replace("_", " "))
        unit = figures.unit_of(column)
        return self.block("with_unit", said=said, unit=unit) if unit else said

    def cell(self, column: str, value: Any) -> str:
        """A value as HTML; where its column holds words, in this language."""
        return "".join(
            escape(text) if known else untranslated(escape(text)) for text, known in self.pieces(column, value)
        )

    def interval(self, column: str, row: Mapping[str, Any]) -> str:
        """The interval of a value as small print, not escaped; empty where there is none."""
        ends = figures.interval(column, row)
        return self.block("within", interval=ends) if ends and figures.is_within(column, row) else ends

    def runs(self, column: str, count: int) -> str:
        """How many runs something rests on, a side where the column counts the side with fewer; one in words."""
        name = "runs_a_side" if column.endswith("runs_a_side") else "runs"
        return (
            self.block("one_run" if name == "runs" else "one_run_a_side")
            if count == 1
            else self.block(name, count=figures.plain(column, count))
        )

    def text(self, column: str, value: Any) -> str:
        """The same as plain text, where no markup can say what is not translated."""
        return "".join(text for text, _ in self.pieces(column, value))

    def pieces(self, column: str, value: Any) -> list[Piece]:
        """A value as texts, each with whether it is in this language."""
        if isinstance(value, bool):
            return [(self.block("yes" if value else "no"), True)]
        shown = figures.plain(column, value)
        if self.is_english or not isinstance(value, str):
            return [(shown, True)]
        if _is_of(self.names, column):
            return [(text, True) for text, _ in self.phrases.said(shown)]
        return self.phrases.said(shown) if _is_of(self.prose, column) else [(shown, True)]

    def is_prose(self, column: str) -> bool:
        """Whether its values are words, or names joined by words."""
        return _is_of(self.prose, column) or _is_of(self.names, column)

    def of_chart(self, text: str) -> str:
        """A title within a chart, or a category drawn there."""
        return "".join(said for said, _ in self.phrases.said(text))


def read(language: str) -> Words:
    """The words of one of LANGUAGES, as its folder has them now."""
    figures.words.cache_clear()  # its words are from the same files
    english = tomllib.loads((HERE / "words.toml").read_text(encoding="utf-8"))
    is_english = language == LANGUAGES[0]
    own = english if is_english else tomllib.loads((HERE / language / "words.toml").read_text(encoding="utf-8"))
    blocks = english["blocks"] | own["blocks"]
    return Words(
        language=language,
        digest=identity.words(language, is_english),
        pages=HERE / "pages" if is_english else HERE / language / "pages",
        headings=own.get("headings", {}),
        blocks=blocks,
        phrases=Phrases(own.get("terms", {}), own.get("phrases", {}), (blocks["and"], blocks["comma"], " ")),
        charts=own.get("charts", {}),
        prose=_columns(english["prose"]["columns"]),
        names=_columns(english["prose"]["names"]),
    )


def untranslated(html: str) -> str:
    """Words that this language lacks, as HTML that says so."""
    return f'<span class="untranslated" lang="en">{html}</span>'


def _columns(names: list[str]) -> re.Pattern[str]:
    """Columns of these names, also as the end of a longer one."""
    return re.compile(rf"(?:\w+_)?(?:{'|'.join(map(re.escape, names))})")


@functools.lru_cache(maxsize=5000)
def _is_of(names: re.Pattern[str], column: str) -> bool:
    """Whether a column is one of these, asked for each cell of a table."""
    return bool(names.fullmatch(column))
