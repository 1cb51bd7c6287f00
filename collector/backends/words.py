"""What a server said, for a person: the message of an error, of a page, or of anything."""

import re

from collector.backends.chunk import said_of
from collector.privacy.api_token import without

WIDTH = 200  # characters


def words(text: str) -> str:
    """The message in a text, on one line, cut; the API token goes first."""
    said = said_of(without(text))
    if re.match(r"(?i)\s*<(!doctype|html|head|body|title|h1|p)\b", said):
        said = re.sub(r"(?s)<(script|style)\b.*?</\1>|<[^>]*>", " ", said)
    said = " ".join(said.split())
    return said if len(said) <= WIDTH else f"{said[: WIDTH - 1]}…"
