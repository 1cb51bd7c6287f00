"""Which part of an answer is the program."""

import re

from collector.graders._text import Block, split

MOST_CHARS = 60_000  # of a program that is worth running


def program(answer: str) -> Block | None:
    """The last Python block that defines something; else all of them together; else the bare text, if it is code.

    None where there is no code.
    """
    _, blocks = split(answer)
    python = [block for block in blocks if block.language in ("python", "py", "python3", "") and block.text.strip()]
    defining = [block for block in python if re.search(r"^\s*(def|class) \w", block.text, re.MULTILINE)]
    if defining:
        return defining[-1]
    if python:
        return Block("python", "\n\n".join(block.text for block in python), all(b.is_closed for b in python), "")
    if not blocks and re.search(r"^def \w+\(.*\).*:\s*(#.*)?$", answer, re.MULTILINE):
        start = re.search(r"^(def|class|import|from) ", answer, re.MULTILINE)
        return Block("", answer[start.start() :] if start else answer, True, "")
    return None
