"""Which part of an answer is the program."""

import re
from collections.abc import Iterator

from collector.graders._text import Block, split

MOST_CHARS = 60_000  # of a program that is worth running
DEFINES = re.compile(r"^[ \t]*(?:def|class) \w|^\w+[ \t]*=[ \t]*lambda\b", re.MULTILINE)
BEGINS = re.compile(r"^(?:def|class|import|from|@|#!) ?\w", re.MULTILINE)
PROSE = re.compile(r"[^\x00-\x7f]|[-*>] |\d+\. ")  # how a line begins that is no code; a comment begins with `#`


def programs(answer: str) -> Iterator[Block]:
    """What may be the program, the likeliest first: the last Python block that defines something; all blocks that do,
    one after the other, since a later one may build on an earlier; the bare text, if it is code.
    """
    _, blocks = split(answer)
    python = [block for block in blocks if block.language in ("python", "py", "python3", "") and block.text.strip()]
    defining = [block for block in python if DEFINES.search(block.text)]
    yield from reversed(defining[-1:])
    if len(defining) > 1:
        yield _joined(defining)
    if python and not defining:
        yield _joined([block for block in python if block.language] or python)
    if not blocks and re.search(r"^def \w", answer, re.MULTILINE):
        yield Block("", "\n".join(_bare(answer)), True, "")


def _joined(blocks: list[Block]) -> Block:
    return Block("python", "\n\n".join(block.text for block in blocks), all(block.is_closed for block in blocks), "")


def _bare(answer: str) -> Iterator[str]:
    """The lines from the first that is code to the last before prose."""
    start = BEGINS.search(answer)
    for line in (answer[start.start() :] if start else answer).splitlines():
        if PROSE.match(line):
            return
        yield line
