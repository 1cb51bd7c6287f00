"""A hook of MkDocs: finished HTML goes past Markdown and the search index.

Both would leave it as it is, at half the build's cost.
"""

import re
from typing import Any

from mkdocs.structure.pages import Page

BLOCK = re.compile(r"^<.{300,}$", re.MULTILINE)  # what blocks make stands on one line; nobody writes such a line
PLACE = re.compile(r'<div data-block="(\d+)"></div>')  # nothing from a view can look so: that is escaped

_blocks: dict[str, list[str]] = {}  # of the pages being made, by address


def on_page_markdown(markdown: str, page: Page, **_: Any) -> str:
    """Set the blocks aside."""
    blocks = _blocks[page.url] = []

    def aside(found: re.Match[str]) -> str:
        blocks.append(found[0])
        return f'<div data-block="{len(blocks) - 1}"></div>'

    return BLOCK.sub(aside, markdown)


def on_post_page(output: str, page: Page, **_: Any) -> str:
    """Put them back."""
    blocks = _blocks.pop(page.url)
    return PLACE.sub(lambda found: blocks[int(found[1])], output)
