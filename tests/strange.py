"""What no page of ours has, and a page has where a payload was not escaped: found without a browser.

A browser runs what it finds, so `scripts/bench payloads` has the last word; this tells at once which text got through.
"""

import csv
import io
import json
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from xml.etree import ElementTree

WORDS_OF_HTML = """
html head title meta link body script header nav main article aside footer div span p a ul ol li h1 h2 h3 h4 h5 h6 table
thead tbody tr th td details summary figure figcaption strong em code pre mark section label input select option button
form svg g path text rect line circle defs clippath lineargradient stop tspan desc br hr
"""
WORDS_OF_ATTRIBUTES = """
class id title href rel name content charset lang dir hidden open type value for scope tabindex role style width height
download selected disabled placeholder autocomplete autocapitalize autocorrect spellcheck src defer property media color
checked datetime colspan sizes opacity display hreflang http-equiv markdown
d x y x1 x2 y1 y2 cx cy r rx ry offset transform viewbox version points
"""
TAGS, ATTRIBUTES = set(WORDS_OF_HTML.split()), set(WORDS_OF_ATTRIBUTES.split())
ALSO = re.compile(r"(aria|data|stroke|fill|font|text|clip|stop|marker|dominant|pointer|letter|xmlns|accept)[\w:-]*")
# What payloads say in Markdown: alone in an element of its own, it was taken for Markdown.
WORDS = {"bold", "stars", "lines", "gone", "Heading", "Title", "item", "here", "slanted", "moving", "x", "red", "note"}
PLAIN = {"td", "th", "p", "div", "span", "text", "option", "pre", "code", "tspan"}
ADDRESS = re.compile(r"^[\s\x00-\x20]*(?:[a-z+.-]+:|//|\\\\)", re.IGNORECASE)
OURS = re.compile(r"https?://(?:127\.0\.0\.1|www\.w3\.org|duckdb\.org/|squidfunk)")
NOT_DRAWN = re.compile(r"\\u00(?:0[0-8bcef]|1[0-9a-f])|[\u2028\u2029\ufffe\uffff]")  # as JSON has them
FORMULA = re.compile(r"^[=+\-@\t\r\n＝＋－＠]")
NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?", re.IGNORECASE)


class Strange(HTMLParser):
    """Gathers it while a page is read."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[str] = []
        self._open: list[tuple[str, list[str]]] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in TAGS:
            self.found.append(f"<{tag}>")
        for name, value in attrs:
            self.found += self._attribute(tag, name, value or "")
        if tag not in ("meta", "link", "input", "br", "hr"):
            self._open.append((tag, []))

    def _attribute(self, tag: str, name: str, value: str) -> Iterator[str]:
        if not (name in ATTRIBUTES or ALSO.fullmatch(name)) or name.startswith("on"):
            yield f"<{tag} {name}>"
        if name in ("href", "src", "action") and ADDRESS.match(value) and not OURS.match(value):
            yield f"<{tag} {name}={value[:60]}>"
        if name == "style" and ("url(" in value or "expression" in value or "fixed" in value):
            yield f"<{tag} style={value[:60]}>"
        if name in ("data-spec", "data-pairs"):
            try:
                texts = json.dumps(json.loads(value), ensure_ascii=False)
            except json.JSONDecodeError as error:
                yield f"<{tag} {name}>: {error}"
            else:
                yield from (f"<{tag} {name}> {found!r}" for found in NOT_DRAWN.findall(texts) if name == "data-spec")

    def handle_endtag(self, tag: str) -> None:
        while any(tag == name for name, _ in self._open):
            name, texts = self._open.pop()
            said = "".join(texts).strip()
            if said in WORDS and name not in PLAIN:
                self.found.append(f"<{name}>{said}</{name}>")
            if name == tag:
                return

    def handle_data(self, data: str) -> None:
        if self._open:
            self._open[-1][1].append(data)
            if self._open[-1][0] in ("script", "style") and "pwned" in data:
                self.found.append(f"within <{self._open[-1][0]}>: {data[:60]}")

    def handle_comment(self, data: str) -> None:
        if not data.startswith("[if"):
            self.found.append(f"<!--{data[:40]}-->")

    def handle_pi(self, data: str) -> None:
        self.found.append(f"<?{data[:40]}>")

    def unknown_decl(self, data: str) -> None:
        self.found.append(f"<![{data[:40]}]>")


def in_page(html: str) -> list[str]:
    """Elements, attributes, addresses and comments that are none of ours."""
    return sorted(set(Strange(html).found))


def in_csv(content: bytes) -> list[str]:
    """Cells that a spreadsheet would compute, and rows of another length than the first."""
    csv.field_size_limit(len(content))  # one value holds all outputs of a run
    rows = list(csv.reader(io.StringIO(content.decode(), newline="")))
    wrong = [cell[:40] for row in rows for cell in row if FORMULA.match(cell) and not NUMBER.fullmatch(cell)]
    return sorted({*wrong, *(f"{len(row)} cells" for row in rows if len(row) != len(rows[0]))})


def in_feed(xml: str, entries: int) -> list[str]:
    """Elements that are none of a feed's, another number of entries, addresses elsewhere."""
    root = ElementTree.fromstring(xml)
    names = {element.tag.rpartition("}")[2] for element in root.iter()}
    found = sorted(names - {"feed", "title", "id", "link", "updated", "author", "name", "entry", "summary"})
    count = len(root.findall("{*}entry"))
    return found + ([f"{count} entries"] if count != entries else [])


def in_terminal(text: str) -> list[str]:
    """Characters that steer a terminal or turn the direction of writing around."""
    return sorted(
        {
            repr(char)
            for char in re.findall(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]", text)
        }
    )
