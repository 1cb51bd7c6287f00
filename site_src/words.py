"""The site's words in one language. What a translation lacks stays English and says so: `<span lang="en">`.

Names of models, machines and files are words of no language; which columns hold words, `[prose]` of words.toml says.
"""

import re
import tomllib
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

from site_src import figures

HERE = Path(__file__).parent
LANGUAGES = ("en", "zh")  # the first is the one that all others fall back to


@dataclass(frozen=True)
class Words:
    """What pages are called and say in a language."""

    language: str
    pages: Path
    headings: dict[str, str]
    blocks: dict[str, str]
    terms: dict[str, str]
    phrases: tuple[tuple[re.Pattern[str], str], ...]
    charts: dict[str, dict[str, str]]
    prose: re.Pattern[str]

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
            return _english(figures.heading(column))
        return escape(figures.heading(column, self.headings))

    def cell(self, column: str, value: Any) -> str:
        """A value as HTML; where its column holds words, in this language."""
        if isinstance(value, bool):
            return escape(self.block("yes" if value else "no"))
        shown = figures.plain(column, value)
        if self.is_english or not isinstance(value, str) or not self.prose.fullmatch(column):
            return escape(shown)
        return "; ".join(_english(part) if said is None else escape(said) for part, said in self._parts(shown))

    def text(self, column: str, value: Any) -> str:
        """The same as plain text, where no markup can say what is not translated."""
        if self.is_english or not isinstance(value, str) or not self.prose.fullmatch(column):
            return figures.plain(column, value)
        return "; ".join(said or part for part, said in self._parts(value))

    def of_chart(self, text: str) -> str:
        """A title within a chart, or a category drawn there."""
        return self.phrase(text) or text

    def phrase(self, text: str) -> str | None:
        """A term or sentence of the views in this language; None where nobody has translated it."""
        if text in self.terms:
            return self.terms[text]
        for pattern, said in self.phrases:
            if found := pattern.fullmatch(text):
                return said.format(*(self.terms.get(part, part) for part in found.groups()))
        return None

    def _parts(self, text: str) -> list[tuple[str, str | None]]:
        parts = [(part, self.phrase(part)) for part in text.split("; ")]
        if all(said for _, said in parts):
            return parts
        whole = self.phrase(text)  # of which a semicolon is a part
        return [(text, whole)] if whole else parts


def read(language: str) -> Words:
    """The words of one of LANGUAGES, as its folder has them now."""
    english = tomllib.loads((HERE / "words.toml").read_text(encoding="utf-8"))
    is_english = language == LANGUAGES[0]
    own = english if is_english else tomllib.loads((HERE / language / "words.toml").read_text(encoding="utf-8"))
    names = "|".join(map(re.escape, english["prose"]["columns"]))
    return Words(
        language=language,
        pages=HERE / "pages" if is_english else HERE / language / "pages",
        headings=own.get("headings", {}),
        blocks=english["blocks"] | own["blocks"],
        terms=own.get("terms", {}),
        phrases=tuple((_pattern(key), said) for key, said in own.get("phrases", {}).items()),
        charts=own.get("charts", {}),
        prose=re.compile(rf"(?:\w+_)?(?:{names})"),
    )


def _pattern(template: str) -> re.Pattern[str]:
    """`{} of {} cells` as a pattern whose groups are what stands in the braces."""
    return re.compile("(.+?)".join(map(re.escape, template.split("{}"))), re.DOTALL)


def _english(text: str) -> str:
    return f'<span class="untranslated" lang="en">{escape(text)}</span>'
