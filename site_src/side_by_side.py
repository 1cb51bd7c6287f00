"""Outputs of one prompt beside each other, as HTML on one line. Every text is somebody else's, and escaped."""

from html import escape
from typing import Any

from site_src.report import visible

MOST_CHARS = 12_000  # of a text on the page; the download has all of it


def html(rows: list[dict[str, Any]]) -> str:
    """A section for each prompt, a card for each output; closed, so that a page of a hundred is still a page."""
    prompts: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for row in rows:
        prompts.setdefault((row["prompt_id"], row["prompt_sha256"]), []).append(row)
    return "".join(_prompt(name, outputs) for (name, _), outputs in prompts.items())


def _prompt(name: str, outputs: list[dict[str, Any]]) -> str:
    category = escape(visible(outputs[0]["prompt_category"] or ""))
    said = escape(", ".join(_outcome(row) for row in outputs))
    return (
        f'<details class="outputs"><summary><strong>{escape(visible(name))}</strong> {category}: {said}</summary>'
        f'<div class="cards">{"".join(map(_card, outputs))}</div></details>'
    )


def _outcome(row: dict[str, Any]) -> str:
    return row["outcome"] or "not judged"


def _card(row: dict[str, Any]) -> str:
    outcome = _outcome(row)
    cut = " · cut off" if row["is_truncated"] else ""
    why = f'<p class="reason">{escape(visible(row["reason"]))}</p>' if row["reason"] else ""
    thought = (
        f"<details><summary>Reasoning</summary>{_text(row['reasoning_text'])}</details>"
        if row["reasoning_text"]
        else ""
    )
    return (
        f'<section class="card"><p class="build">{escape(visible(row["label"]))}</p>'
        f'<p><span class="outcome" data-outcome="{escape(outcome)}">{escape(outcome)}</span> '
        f"{escape(row['taken_from'])}{cut} · {escape(visible(row['machine']))}</p>{why}"
        f"{_text(row['output_text'])}{thought}</section>"
    )


def _text(text: str | None) -> str:
    if not (text or "").strip():
        return '<p class="reason">No text.</p>'
    shown = escape(visible(text[:MOST_CHARS] if text else "")).replace("\n", "&#10;")
    rest = len(text or "") - MOST_CHARS
    more = f'<p class="reason">{rest:,} more characters are in the download.</p>' if rest > 0 else ""
    return f'<pre class="output" tabindex="0">{shown}</pre>{more}'
