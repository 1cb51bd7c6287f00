"""Sentences that the views compose, said in another language: terms as they are, and templates with gaps.

A template's gap takes what stands in the sentence: `{0}` a name or a number, kept; `{0:w}` words, said in turn; `{0:n}`
names joined by words. The parts of a sentence ("; ") are said one by one, and what nobody has translated stays as it is
and is told apart.
"""

from collections.abc import Callable, Mapping
from string import Formatter

Piece = tuple[str, bool]  # a text, and whether it is in the language: names are in every one
Say = Callable[[str], list[Piece] | None]
LONGEST = 500  # characters in a gap that may be words of ours: gaps have gaps, and a text made for it has very many
SPAN = 8  # parts, items or words that one template or term may hold


class Phrases:
    """What `terms` and `templates` can say. `joints`: what stands between parts, items and words."""

    def __init__(
        self, terms: Mapping[str, str], templates: Mapping[str, str], joints: tuple[str, str, str] = ("; ", ", ", " ")
    ) -> None:
        self._terms = {**terms, **{text: said for text, said in templates.items() if "{}" not in text}}
        self._templates = [(text.split("{}"), said) for text, said in templates.items() if "{}" in text]
        self._joints = joints
        self._said: dict[str, list[Piece]] = {}

    def said(self, text: str) -> list[Piece]:
        """The text in pieces."""
        if text not in self._said:
            parts = _spans(text.split("; "), "; ", self._part)
            self._said[text] = _joined([said or [(part, False)] for part, said in parts], self._joints[0])
        return self._said[text]

    def _part(self, text: str) -> list[Piece] | None:
        """A sentence, a list or a row of terms; None where that is not in the language."""
        _, comma, space = self._joints
        return (
            self._sentence(text)
            or self._items(text, ", ", comma, self._sentence)
            or self._items(text, " ", space, self._term)
        )

    def _term(self, text: str) -> list[Piece] | None:
        return [(self._terms[text], True)] if text in self._terms else None

    def _sentence(self, text: str) -> list[Piece] | None:
        if term := self._term(text):
            return term
        for literals, said in self._templates:
            if (gaps := _gaps(literals, text)) is not None:
                return self._filled(said, gaps)
        return None

    def _filled(self, said: str, gaps: list[str]) -> list[Piece]:
        pieces: list[Piece] = []
        for literal, number, spec, _ in Formatter().parse(said):
            pieces.append((literal, True))
            if number is not None:
                pieces += self._gap(gaps[int(number)], spec or "")
        return pieces

    def _gap(self, text: str, spec: str) -> list[Piece]:
        if not spec or len(text) > LONGEST:
            return [(text, spec != "w")]
        return [(piece, known or spec != "w") for piece, known in self.said(text)]

    def _items(self, text: str, comma: str, joint: str, say: Say) -> list[Piece] | None:
        if comma not in text or "; " in text:
            return None
        items = [said for _, said in _spans(text.split(comma), comma, say)]
        known = [said for said in items if said]
        return _joined(known, joint) if len(known) == len(items) else None


def _spans(parts: list[str], joint: str, say: Say) -> list[tuple[str, list[Piece] | None]]:
    """The parts, as many at a time as can be said together."""
    spans, start = [], 0
    while start < len(parts):
        for end in range(min(start + SPAN, len(parts)), start, -1):
            text = joint.join(parts[start:end])
            said = say(text)
            if said or end == start + 1:
                spans.append((text, said))
                start = end
                break
    return spans


def _gaps(literals: list[str], text: str) -> list[str] | None:
    """What stands between a template's literals, each at its first place, so that no text takes long."""
    if not text.startswith(literals[0]) or not text.endswith(literals[-1]):
        return None
    first, *between, last = literals
    gaps, start = [], len(first)
    for literal in between:
        found = text.find(literal, start + 1)
        if found < 0:
            return None
        gaps.append(text[start:found])
        start = found + len(literal)
    gaps.append(text[start : len(text) - len(last)])
    around = zip(literals[:-1], gaps, literals[1:], strict=True)
    return gaps if all(_is_gap(gap, before, after) for before, gap, after in around) else None


def _is_gap(text: str, before: str, after: str) -> bool:
    """Something of one part, or, in brackets, of several."""
    if "; " not in text:
        return bool(text)
    return before.endswith("(") and after.startswith(")") and ")" not in text.partition("(")[0]


def _joined(spans: list[list[Piece]], joint: str) -> list[Piece]:
    return [piece for number, span in enumerate(spans) for piece in ([(joint, True)] if number else []) + span]
