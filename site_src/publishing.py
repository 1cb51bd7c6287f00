"""What tells others of the site: a feed of new runs, a badge, and for each page the sentence that a preview shows."""

import json
import re
import uuid
from collections.abc import Iterator
from datetime import datetime
from html import unescape
from typing import Any
from xml.etree import ElementTree

from site_src import figures
from site_src.place import Place
from site_src.visible import visible
from site_src.warehouse import Warehouse
from site_src.words import Words

ATOM = "http://www.w3.org/2005/Atom"
COLORS = {"none": "lightgrey", "some": "yellow", "all": "brightgreen"}  # shields.io's names
LONGEST = 300  # characters of a preview's sentence
ANSWER = re.compile(r'<div class="answer"[^>]*>\n(.*?)\n</div>', re.DOTALL)
SENTENCE = re.compile(r".+?(?:[.!?](?=\s+[A-Z\d“‹]|\s*$)|[。！？])|.+")
NO_TEXT = dict.fromkeys((0xFFFE, 0xFFFF), "\ufffd")  # neither XML nor YAML has them
QUOTES = str.maketrans({"<": "‹", ">": "›", '"': "”", "&": "＆"})  # themes put it into an attribute as it is


def files(warehouse: Warehouse, words: Words, address: str, directory_urls: bool) -> Iterator[tuple[str, str]]:
    """Path and content of each file; `address` is where the site will be, with a slash at its end."""
    yield "feed.xml", feed(warehouse, words, address, directory_urls)
    yield "badge.json", badge(warehouse, words)


def feed(warehouse: Warehouse, words: Words, address: str, directory_urls: bool = True) -> str:
    """An Atom feed with an entry for each of the last runs. An entry's id is its run's, wherever the site is."""
    root = ElementTree.Element("feed", xmlns=ATOM)
    rows = warehouse.rows("from feed")
    _add(root, "title", words.block("feed_title"))
    _add(root, "id", f"{address}feed.xml")
    _add(root, "link", rel="self", href=f"{address}feed.xml")
    _add(root, "link", rel="alternate", href=address)
    _add(root, "updated", _time(rows[0]["run_started_at"] if rows else datetime(1970, 1, 1)))
    _add(_add(root, "author"), "name", words.block("feed_author"))
    place = Place(directory_urls=directory_urls)
    for row in rows:
        page = f"configuration/{row['configuration_id']}" if row["configuration_id"] else "results"
        entry = _add(root, "entry")
        _add(entry, "title", words.block("feed_entry", **_plain(row)))
        _add(entry, "id", uuid.uuid5(uuid.NAMESPACE_URL, f"llm-mac-512 run {row['run_id']}").urn)
        _add(entry, "link", rel="alternate", href=f"{address}{place.page(page)}")
        _add(entry, "updated", _time(row["run_started_at"]))
        speed = "feed_speed" if row["decode_tps"] is not None else "feed_no_speed"
        _add(entry, "summary", words.block(speed, **_plain(row)))
    ElementTree.indent(root)
    return f"<?xml version='1.0' encoding='utf-8'?>\n{ElementTree.tostring(root, encoding='unicode')}\n"


def badge(warehouse: Warehouse, words: Words) -> str:
    """How much is measured, in the form that shields.io's endpoint badge reads."""
    (row,) = warehouse.rows("from badge")
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
