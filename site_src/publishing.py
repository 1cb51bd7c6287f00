"""What tells others of the site: a feed of new runs, a badge, and for each page the sentence that a preview shows."""

import json
import re
import tomllib
import uuid
from collections.abc import Iterator
from datetime import datetime
from html import unescape
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from site_src import figures
from site_src.place import Place
from site_src.reuse.answers import Answers
from site_src.visible import visible
from site_src.words import Words

ATOM = "http://www.w3.org/2005/Atom"
COLORS = {"none": "lightgrey", "some": "yellow", "all": "brightgreen"}  # shields.io's names
NOTICES = Path(__file__).parent / "notices.toml"
LONGEST = 300  # characters of a preview's sentence
ANSWER = re.compile(r'<div class="answer"[^>]*>\n(.*?)\n</div>', re.DOTALL)
SENTENCE = re.compile(r".+?(?:[.!?](?=\s+[A-Z\d“‹]|\s*$)|[。！？])|.+")
NO_TEXT = dict.fromkeys((0xFFFE, 0xFFFF), "\ufffd")  # neither XML nor YAML has them
QUOTES = str.maketrans({"<": "‹", ">": "›", '"': "”", "&": "＆"})  # themes put it into an attribute as it is


def files(answers: Answers, words: Words, address: str, directory_urls: bool) -> Iterator[tuple[str, str]]:
    """Path and content of each file; `address` is where the site will be, with a slash at its end."""
    yield "feed.xml", feed(answers, words, address, directory_urls)
    yield "badge.json", badge(answers, words)


def feed(answers: Answers, words: Words, address: str, directory_urls: bool = True) -> str:
    """An Atom feed with an entry for each of the last runs, and for each notice to readers of what was before it.

    An entry's id is its run's, or its notice's, wherever the site is.
    """
    root = ElementTree.Element("feed", xmlns=ATOM)
    rows = answers.rows("from feed")
    place = Place(directory_urls=directory_urls)
    entries = [_of_run(row, words, place) for row in rows]
    entries += [
        _of_notice(told, place) for told in notices() if any(row["run_started_at"] < told["told_at"] for row in rows)
    ]
    entries.sort(key=lambda entry: entry["updated"], reverse=True)
    _add(root, "title", words.block("feed_title"))
    _add(root, "id", f"{address}feed.xml")
    _add(root, "link", rel="self", href=f"{address}feed.xml")
    _add(root, "link", rel="alternate", href=address)
    _add(root, "updated", entries[0]["updated"] if entries else _time(datetime(1970, 1, 1)))
    _add(_add(root, "author"), "name", words.block("feed_author"))
    for said in entries:
        entry = _add(root, "entry")
        _add(entry, "title", said["title"])
        _add(entry, "id", uuid.uuid5(uuid.NAMESPACE_URL, f"llm-mac-512 {said['id']}").urn)
        _add(entry, "link", rel="alternate", href=f"{address}{said['page']}")
        _add(entry, "updated", said["updated"])
        _add(entry, "summary", said["summary"])
    ElementTree.indent(root)
    return f"<?xml version='1.0' encoding='utf-8'?>\n{ElementTree.tostring(root, encoding='unicode')}\n"


def _of_run(row: dict[str, Any], words: Words, place: Place) -> dict[str, str]:
    shown = _plain(row)
    if row["decode_tps"] is None:
        summary = words.block("feed_no_speed", **shown)
    else:
        kind = "interval_within" if row["interval_kind"] == figures.WITHIN else "interval"
        ends = {"low": shown["decode_tps_low"], "high": shown["decode_tps_high"]}
        interval = words.block("no_interval") if row["decode_tps_low"] is None else words.block(kind, **ends)
        summary = words.block("feed_speed", interval=interval, **shown)
    page = f"configuration/{row['configuration_id']}" if row["configuration_id"] else "results"
    return {
        "title": words.block("feed_entry", **shown),
        "id": f"run {row['run_id']}",
        "page": place.page(page),
        "updated": _time(row["run_started_at"]),
        "summary": summary,
    }


def _of_notice(told: dict[str, Any], place: Place) -> dict[str, str]:
    return {
        "title": told["title"],
        "id": f"notice {told['id']}",
        "page": f"{place.page(told['page'])}#{told['part']}",
        "updated": _time(told["told_at"]),
        "summary": told["text"],
    }


def notices() -> list[dict[str, Any]]:
    """What readers must be told, with times in UTC without a zone, as those of runs are."""
    told = tomllib.loads(NOTICES.read_text(encoding="utf-8"))["notice"]
    return [{**one, "told_at": one["told_at"].replace(tzinfo=None)} for one in told]


def badge(answers: Answers, words: Words) -> str:
    """How much is measured, in the form that shields.io's endpoint badge reads."""
    (row,) = answers.rows("from badge")
    said = {
        "schemaVersion": 1,
        "label": words.block("badge_label"),
        "message": words.block("badge_message", **_plain(row)),
        "color": COLORS[row["state"]],
    }
    return f"{json.dumps(said)}\n"


def described(markdown: str) -> str:
    """The page with the first sentence of its answer as its description; without an answer, as it was."""
    found = ANSWER.search(markdown)
    sentence = SENTENCE.search(_text(found.group(1))) if found else None
    if not sentence:
        return markdown
    said = sentence.group()
    shown = said if len(said) <= LONGEST else f"{said[: LONGEST - 1]}…"
    return f"---\ndescription: {json.dumps(shown, ensure_ascii=False)}\n---\n{markdown}"


def _text(markdown: str) -> str:
    """An answer's words without markup, on one line."""
    bare = re.sub(r"<[^>]*>|\*\*|`", "", markdown)
    linked = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", bare)
    return " ".join(_clean(unescape(linked)).translate(QUOTES).split())


def _plain(row: dict[str, Any]) -> dict[str, str]:
    return {name: _clean(figures.plain(name, value)) for name, value in row.items()}


def _clean(text: str) -> str:
    return visible(text).translate(NO_TEXT)


def _time(began: datetime) -> str:
    return began.strftime("%Y-%m-%dT%H:%M:%SZ")


def _add(parent: ElementTree.Element, name: str, text: str | None = None, **attributes: str) -> ElementTree.Element:
    child = ElementTree.SubElement(parent, name, attributes)
    child.text = text
    return child
