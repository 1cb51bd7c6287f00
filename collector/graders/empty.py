"""Is there an answer at all?"""

from collections.abc import Mapping
from typing import Any

from collector.graders import Grade, Output

TIER, VERSION = "Q0", 1


def grade(output: Output, declared: Mapping[str, Any], execute: object) -> Grade:
    """Fails an answer without text; one that was cut off while reasoning is a matter of `truncated`."""
    if output.answer.strip():
        return Grade("pass")
    if output.reasoning.strip() and output.finish_reason == "length":
        return Grade("pass", "cut off while reasoning")
    return Grade("fail", "reasoning without an answer" if output.reasoning.strip() else "no text")
