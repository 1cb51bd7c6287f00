"""Does it agree with the number that whoever set the puzzle had in mind?

A puzzle that can be read in two ways has no right answer, so this says *agrees* or *differs*, and no gate counts it.
Declared: `expected`, and `unit`, the word that follows the number.
"""

import re
from collections.abc import Mapping
from typing import Any

from collector.graders import Grade, Output
from collector.graders._text import plain

TIER, VERSION = "Q1", 1
WORDS = {"零": 0, "〇": 0, "一": 1, "壹": 1, "二": 2, "两": 2, "三": 3, "四": 4, "五": 5, "六": 6}
NUMBER = r"([0-9]{1,3}|[零〇一壹二两三四五六])"
# From the surest to the least sure; of each the last place counts, since texts end with what they conclude.
MARKED = (
    r"(?:最终答案|答案|结论|final answer|answer)[^0-9零〇一壹二两三四五六\n]{0,16}\n?[^0-9零〇一壹二两三四五六\n]{0,12}"
)
NEEDED = r"(?:最少|至少|只需要?|只要|仅需要?|仅|需要?)(?:[^。，；\n0-9零〇一壹二两三四五六]{0,10})"


def grade(output: Output, declared: Mapping[str, Any], execute: object) -> Grade:
    """`agrees`, `differs`, or `unparsed` where no number can be found that is meant as the answer."""
    text = plain(output.answer)
    unit = declared["unit"]
    ways = (
        rf"boxed\{{\s*{NUMBER}",
        rf"{MARKED}{NUMBER}\s*{unit}",
        rf"{MARKED}{NUMBER}(?![0-9])",
        rf"{NEEDED}{NUMBER}\s*{unit}",
        rf"{NUMBER}\s*{unit}(?:就|即可|便|足够|足矣|就够)",
        rf"^\s*{NUMBER}\s*{unit}?[。.]?\s*$",
    )
    for way in ways:
        said = re.findall(way, text, re.IGNORECASE | re.MULTILINE)
        if said:
            number = WORDS.get(said[-1])
            number = int(said[-1]) if number is None else number
            return Grade("agrees" if number == declared["expected"] else "differs", f"answers {number}")
    return Grade("unparsed", "no number is given as the answer")
