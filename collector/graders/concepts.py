"""How many of the concepts it must treat does it name? Coverage, not correctness.

Declared: `concepts`, name → regular expression; `enough` of them to pass; `least_chars`, so that a list of words is
no explanation; `least_sentences`, since a long list of words is none either.
"""

import re
from collections.abc import Mapping
from typing import Any

from collector.graders import Grade, Output

TIER, VERSION = "Q1", 1
SENTENCE = re.compile(r"[^。！？.!?：:；;\n]{6,400}(?:[。！？：；]|[.!?:;](?:\s|$))")


def grade(output: Output, declared: Mapping[str, Any], execute: object) -> Grade:
    """Pass: enough of them; partial: half of that; fail: fewer. `share` is of all."""
    text = output.answer
    if not text.strip():
        return Grade("unparsed", "no answer")
    missing = [name for name, sign in declared["concepts"].items() if not re.search(sign, text, re.IGNORECASE)]
    total = len(declared["concepts"])
    found = total - len(missing)
    said = f"coverage {found} of {total}" + (f"; not named: {', '.join(missing)}" if missing else "")
    if len(text) < declared["least_chars"]:
        return Grade("fail", f"{len(text)} characters are no explanation; {said}", found / total)
    if (sentences := len(SENTENCE.findall(text))) < declared.get("least_sentences", 0):
        return Grade("fail", f"{sentences} sentences are no explanation; {said}", found / total)
    outcome = "pass" if found >= declared["enough"] else "partial" if found >= declared["enough"] / 2 else "fail"
    return Grade(outcome, said, found / total)
