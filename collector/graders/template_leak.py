"""Are there markers of the chat template or the tokenizer left in the answer?

A wrong template, a wrong end token or a broken detokenizer leaves them. In code they may be what was asked for.
"""

import re
from collections.abc import Mapping
from typing import Any

from collector.graders import Grade, Output
from collector.graders._text import split

TIER, VERSION = "Q0", 1
MARKER = re.compile(
    r"<\|[A-Za-z0-9_]{2,40}\|>|<｜[^｜\n]{1,30}｜>|<(?:start|end)_of_turn>|\[/?INST\]|<</?SYS>>|\]~!?b[\[\]]|\[e~\[|"
    r"</?(?:[a-z]{1,20}:)?(?:think(?:ing)?|tool_calls?)>|\[gMASK\]|<(?:bos|eos|pad|unk|sop|unused\d{1,4}|0x[0-9A-F]{2})>|"
    r"</s>\s*$|[ĠĊ▁]\w"
)


def found(answer: str) -> str | None:
    """The first marker outside code."""
    lines, _ = split(answer)
    said = re.sub(r"`[^`\n]{1,300}`", " ", "\n".join(lines))
    marker = MARKER.search(said)
    return marker[0] if marker else None


def grade(output: Output, declared: Mapping[str, Any], execute: object) -> Grade:
    """Fails an answer with such a marker outside code."""
    marker = found(output.answer)
    return Grade("fail", f"{marker.strip()} in the answer") if marker else Grade("pass")
