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
SPAN = 4  # parts, items or words that one template or term may hold


class Phrases:
    """What `terms` and `templates` can say. `joints`: what stands between parts, items and words."""

    def __init__(
        self, terms: Mapping[str, str], templates: Mapping[str, str], joints: tuple[str, str, str] = ("; ", ", ", " ")
    ) -> None:
        self._terms, self._joints = terms, joints
        self._templates = [(template.split("{}"), said) for template, said in templates.items()]
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
        return self._sentence(text) or self._items(text, ", ", comma) or self._items(text, " ", space)

    def _sentence(self, text: str) -> list[Piece] | None:
        if text in self._terms:
            return [(self._terms[text], True)]
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
        said = self._part(text) if spec and len(text) <= LONGEST else None
        return said or [(text, spec != "w")]

    def _items(self, text: str, comma: str, joint: str) -> list[Piece] | None:
        if comma not in text:
            return None
        items = [said for _, said in _spans(text.split(comma), comma, self._sentence)]
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
    """What stands between a template's literals, each at its first place, so none takes long; never empty, no `; `."""
    if len(literals) == 1 or not text.startswith(literals[0]) or not text.endswith(literals[-1]):
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
    return None if any(not gap or "; " in gap for gap in gaps) else gaps


def _joined(spans: list[list[Piece]], joint: str) -> list[Piece]:
    return [piece for number, span in enumerate(spans) for piece in ([(joint, True)] if number else []) + span]
