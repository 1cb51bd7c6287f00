"""A row that a page speaks of, mostly a machine's: its values as words in the middle of Markdown."""

from typing import Any

from markupsafe import Markup

from site_src import data_table, figures
from site_src.words import Words, untranslated


class Here:
    """`here.column` for a page's conditions; `value` and `counted` for its sentences."""

    def __init__(self, row: dict[str, Any], words: Words) -> None:
        self._row, self._words = row, words

    def __getitem__(self, column: str) -> Any:
        """The bare value. Raises KeyError."""
        return self._row[column]

    @property
    def scope(self) -> Markup:
        """The attribute of an element that only readers of this row's machine see."""
        return Markup(data_table.of_machine(self._row))  # escaped there

    def value(self, column: str) -> Markup:
        """A value with its unit."""
        value = self._row[column]
        unit = figures.unit_of(column) if value is not None else ""
        said = "".join(
            words_of(text) if known else untranslated(words_of(text))
            for text, known in self._words.pieces(column, value)
        )
        return Markup(f"{said} {unit}" if unit else said)  # each piece was escaped

    def interval(self, column: str) -> Markup:
        """The interval of a speed or a ratio of speeds, for a sentence; says so where it holds within its run alone."""
        low, high = (self._row[f"{column}_{end}"] for end in ("low", "high"))
        if low is None or high is None:
            return words_of(self._words.block("no_interval"))
        prefix = column.partition("decode_tps")[0]
        is_within = self._row[f"{prefix}interval_kind"] == figures.WITHIN
        ends = {"low": figures.plain(column, low), "high": figures.plain(column, high)}
        return words_of(self._words.block("interval_within" if is_within else "interval", **ends))

    def runs(self, column: str) -> Markup:
        """How many runs it rests on: one run, 2 runs; one run a side."""
        return words_of(self._words.runs(column, self._row[column]))

    def counted(self, column: str, noun: str) -> Markup:
        """A number with the noun it counts: 1 run, 2 runs."""
        count = self._row[column]
        return words_of(f"{figures.plain(column, count)} {noun}{'' if count == 1 else 's'}")


def words_of(text: str) -> Markup:
    """Text in the middle of Markdown: whatever means something to Markdown or HTML becomes an entity."""
    return Markup("".join(char if char.isalnum() or char in " ,.%–" else f"&#{ord(char)};" for char in text))


def html(text: str) -> Markup:
    """HTML as a block that Markdown leaves alone: on one line, blank lines around it."""
    # Every piece was escaped where it was made; a line that ends in somebody's text would be the block's end.
    return Markup(f"\n\n{text.replace(chr(10), '&#10;').replace(chr(13), '&#13;')}\n\n")
