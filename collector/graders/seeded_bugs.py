"""Which of the bugs that were put into the code does the review find, and what else does it blame?

Declared: `bug` tables with `id`, `where` (the function's name) and `signs` (regular expressions for naming the fault);
`enough` to pass; `most_alarms`, blames beyond them that are allowed.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from collector.graders import Grade, Output
from collector.graders._text import split

TIER, VERSION = "Q1", 1
# Half a sentence that finds something good has found no bug, whatever words are in it.
PRAISE = re.compile(
    r"[^，。；;,\n]{0,80}(?:得当|很好|良好|不错|优秀|规范|避免了|防止了|杜绝了|写得|没有(?:发现)?(?:明显)?的?问题|无需修改|"
    r"well.written|looks good)[^，。；;,\n]{0,80}"
)


def grade(output: Output, declared: Mapping[str, Any], execute: object) -> Grade:
    """Pass: enough found, few false alarms; partial: half of that, or too many alarms; fail: fewer."""
    bugs = declared["bug"]
    if not output.answer.strip():
        return Grade("unparsed", "no answer")
    names = [bug["where"] for bug in bugs]
    parts = list(_parts(PRAISE.sub(" ", output.answer), names))
    found = {bug["id"] for bug in bugs for where, said in parts if bug["where"] == where and _names(bug, said)}
    prose = "\n".join(split(output.answer)[0])  # code that is only repeated blames nothing
    remarks = _parts(PRAISE.sub(" ", prose), names)
    alarms = sum(not any(bug["where"] == where and _names(bug, said) for bug in bugs) for where, said in remarks)
    share = len(found) / len(bugs)
    missed = [bug["id"] for bug in bugs if bug["id"] not in found]
    told = f"{len(found)} of {len(bugs)} bugs, {alarms} other {'remark' if alarms == 1 else 'remarks'}"
    told += f"; not found: {', '.join(missed)}" if missed else ""
    if not parts:
        return Grade("unparsed", "names none of the functions", share)
    if len(found) >= declared["enough"] and alarms <= declared["most_alarms"]:
        return Grade("pass", told, share)
    return Grade("partial" if len(found) >= declared["enough"] / 2 else "fail", told, share)


def _names(bug: Mapping[str, Any], said: str) -> bool:
    return any(re.search(sign, said, re.IGNORECASE | re.DOTALL | re.ASCII) for sign in bug["signs"])


def _parts(text: str, names: list[str]) -> Iterator[tuple[str, str]]:
    """(function, what is said of it): a part begins at a line that names a function and ends where another does."""
    where: str | None = None
    said: list[str] = []
    for line in text.splitlines():
        named = next((name for name in names if re.search(rf"\b{re.escape(name)}\b", line, re.ASCII)), None)
        if named and named != where:
            if where and said:
                yield where, "\n".join(said)
            where, said = named, []
        said.append(line)
    if where and said:
        yield where, "\n".join(said)
