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
DIGITS = "0-9０-９零〇一壹二两三四五六七八九十百"
WORDS = {"零": 0, "〇": 0, "一": 1, "壹": 1, "二": 2, "两": 2, "三": 3, "四": 4, "五": 5, "六": 6, "七": 7, "八": 8}
WORDS |= {"九": 9, "十": 10}
NUMBER = rf"(?<![第{DIGITS}])([0-9０-９]{{1,3}}|[{DIGITS}]{{1,4}})(?![{DIGITS}])"  # 第一次 counts nothing
GAP = rf"[^{DIGITS}\n]{{0,16}}\n{{0,2}}[^{DIGITS}\n]{{0,12}}"
MARKED = rf"(?:最终答案|答案|结论|final answer|answer){GAP}"
NEEDED = rf"(?:最少|至少|只需要?|只要|仅需要?|仅|需要?)[^。，；\n{DIGITS}]{{0,10}}"


def grade(output: Output, declared: Mapping[str, Any], execute: object) -> Grade:
    """`agrees`, `differs`, or `unparsed` where no number can be found that is meant as the answer."""
    text = plain(output.answer)
    unit = declared["unit"]
    # From the surest to the least sure; of each the last place counts, since texts end with what they conclude.
    ways = (
        rf"boxed\{{\s{{0,4}}(?:\\text\{{\s{{0,4}})?{NUMBER}",
        rf"{MARKED}{NUMBER}\s{{0,4}}{unit}",
        rf"{MARKED}{NUMBER}(?![个只种号盒])",
        rf"{NEEDED}{NUMBER}\s{{0,4}}{unit}|{NUMBER}\s{{0,4}}{unit}(?:就|即可|便|足够|足矣)|"
        rf"{unit}数[是为：:\s]{{0,4}}{NUMBER}(?![个只种号盒])|"
        rf"^[ \t]{{0,8}}{NUMBER}\s{{0,4}}{unit}?[。.]?[ \t]{{0,8}}$",
    )
    for way in ways:
        found = list(re.finditer(way, text, re.IGNORECASE | re.MULTILINE))
        if found:
            return _compared(next(number for number in found[-1].groups() if number), declared["expected"])
    last = next((line for line in reversed(text.splitlines()) if line.strip()), "")
    said = set(re.findall(rf"{NUMBER}\s{{0,4}}{unit}", last))
    if len(said) == 1:  # a last line that names several does not say which
        return _compared(said.pop(), declared["expected"])
    return Grade("unparsed", "no number is given as the answer")


def _compared(said: str, expected: int) -> Grade:
    number = WORDS.get(said)
    if number is None and said.isdecimal():
        number = int(said)
    return Grade("agrees" if number == expected else "differs", f"answers {said if number is None else number}")
