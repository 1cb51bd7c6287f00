"""Somebody else's words as they may be printed: nothing in them steers a terminal, or turns the direction of text."""

import json
import re
from typing import Any

CONTROLS = {
    code: chr(0x2400 + code) if code < 32 else "\ufffd"
    # what moves a terminal's cursor, ends a line, turns the direction of text around, or is no letter of UTF-8
    for code in (
        *(*range(32), *range(0x7F, 0xA0), 0x61C, 0x200E, 0x200F, *range(0x2028, 0x202F), *range(0x2066, 0x206A)),
        *range(0xD800, 0xE000),
    )
    if chr(code) not in "\n\t"
}


def visible(text: str) -> str:
    """Control characters as signs for them: what is printed must not steer the terminal."""
    return re.sub(r"\r\n?", "\n", text).translate(CONTROLS)


def json_of(value: Any, indent: int | None = 2) -> str:
    """JSON with letters as they are; what would steer a terminal is its number."""
    text = json.dumps(value, default=str, ensure_ascii=False, indent=indent)
    return text.translate({code: f"\\u{code:04x}" for code in CONTROLS})
