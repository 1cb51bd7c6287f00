"""Outputs of one prompt beside each other, as HTML on one line. Every text is somebody else's, and escaped.

The differences of an output are those from the first of its model on its machine: the one with the most bits.
"""

from html import escape
from typing import Any

from site_src import differences
from site_src.data_table import of_machine
from site_src.visible import visible
from site_src.words import Words

Row = dict[str, Any]
MOST_CHARS = 12_000  # of a text on the page; the download has all of it


def html(rows: list[Row], words: Words) -> str:
    """A section for each prompt, a card for each output; closed, so that a page of a hundred is still a page."""
    prompts: dict[tuple[str, str, str], list[Row]] = {}
    for row in rows:
        prompts.setdefault((row["prompt_id"], row["prompt_sha256"], row["machine"]), []).append(row)
    return "".join(_prompt(name, outputs, words) for (name, _, _), outputs in prompts.items())


def _prompt(name: str, outputs: list[Row], words: Words) -> str:
    category = words.cell("prompt_category", visible(outputs[0]["prompt_category"] or ""))
    said = escape(words.block("comma")).join(dict.fromkeys(_outcome(row, words) for row in outputs))
    firsts: dict[str, Row] = {}
    for row in outputs:
        firsts.setdefault(row["model"], row)
    cards = "".join(_card(row, firsts[row["model"]], words) for row in outputs)
    return (
        f'<details class="outputs"{of_machine(outputs[0])}><summary><strong>{escape(visible(name))}</strong> '
        f'{category}: {said}</summary><div class="cards">{cards}</div></details>'
    )


def _outcome(row: Row, words: Words) -> str:
    return words.cell("outcome", row["outcome"] or "not judged")


def _card(row: Row, first: Row, words: Words) -> str:
    cut = f" · {escape(words.block('cut_off'))}" if row["is_truncated"] else ""
    why = f'<p class="reason">{words.cell("reason", visible(row["reason"]))}</p>' if row["reason"] else ""
    thought = ""
    if row["reasoning_text"]:
        summary = escape(words.block("reasoning"))
        thought = f"<details><summary>{summary}</summary>{_text(row['reasoning_text'], None, words)}</details>"
    outcome = escape(row["outcome"] or "not judged")
    return (
        f'<section class="card" data-search-exclude><p class="build">{escape(visible(row["label"]))}</p>'
        f'<p><span class="outcome" data-outcome="{outcome}">{_outcome(row, words)}</span> '
        f"{words.cell('taken_from', row['taken_from'])}{cut} · {escape(visible(row['machine']))}</p>{why}"
        f"{_text(row['output_text'], None if row is first else first, words)}{thought}</section>"
    )


def _text(text: str | None, first: Row | None, words: Words) -> str:
    if not text or not text.strip():
        return f'<p class="reason">{escape(words.block("no_text"))}</p>'
    shown, note = _shown(text), ""
    body = escape(shown)
    if first and first["output_text"]:
        marked = differences.marked(shown, _shown(first["output_text"]))
        name = "differences" if marked else "too_different"
        note = f'<p class="reason">{escape(words.block(name, label=visible(first["label"])))}</p>'
        body = marked or body
    rest = len(text) - MOST_CHARS
    more = f'<p class="reason">{escape(words.block("more_chars", count=f"{rest:,}"))}</p>' if rest > 0 else ""
    return f'{note}<pre class="output" tabindex="0">{body.replace(chr(10), "&#10;")}</pre>{more}'


def _shown(text: str) -> str:
    return visible(text[:MOST_CHARS])
