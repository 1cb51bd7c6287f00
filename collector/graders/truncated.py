"""Did it end by itself, or was it cut off by the token limit?"""

from collections.abc import Mapping
from typing import Any

from collector.graders import Grade, Output

TIER, VERSION = "Q0", 1


def grade(output: Output, declared: Mapping[str, Any], execute: object) -> Grade:
    """Fails what was cut off, and says where; at the speed measurement's limits that is no fault of the model."""
    if output.finish_reason != "length":
        return Grade("pass")
    return Grade("fail", "in the answer" if output.answer.strip() else "in reasoning")
