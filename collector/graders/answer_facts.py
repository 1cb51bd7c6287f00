"""Does a short answer name the facts it must, at once and at the length asked for?

Declared: `facts`, a list of alternatives each (regular expressions); `wrong`, what a right answer never says;
`sentences` and `most_chars`, within which it must answer.
"""

import re
from collections.abc import Mapping
from typing import Any

from collector.graders import Grade, Output
from collector.graders._text import plain

TIER, VERSION = "Q1", 1
END = re.compile(r"(?<=[。！？!?])|(?<=\.)\s")


def grade(output: Output, declared: Mapping[str, Any], execute: object) -> Grade:
    """Pass: all facts in the first sentences; partial: all, but too late or too long; fail: a fact is missing."""
    text = plain(output.answer).strip()
    if not text:
        return Grade("unparsed", "no answer")
    for pattern in declared.get("wrong", []):
        if said := re.search(pattern, text, re.IGNORECASE):
            return Grade("fail", f"says: {said[0]}", 0.0)
    sentences = [part for part in END.split(text) if part.strip()]
    first = "".join(sentences[: declared["sentences"]])
    groups = declared["facts"]
    early = [bool(re.search(group, first, re.IGNORECASE)) for group in groups]
    whole = [bool(re.search(group, text, re.IGNORECASE)) for group in groups]
    share = sum(whole) / len(groups)
    if not all(whole):
        return Grade("fail", f"{sum(whole)} of {len(groups)} facts", share)
    if not all(early):
        return Grade("partial", f"all facts, but not in the first {declared['sentences']} sentences", share)
    if len(text) > declared["most_chars"]:
        return Grade("partial", f"all facts, in {len(text)} characters instead of {declared['most_chars']}", share)
    return Grade("pass", f"{len(groups)} of {len(groups)} facts in {len(text)} characters", share)
