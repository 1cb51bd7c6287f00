"""Parts of a Markdown text: fenced blocks, and the prose between them.

Patterns must stay linear on whatever a model writes: no two unbounded repeats of the same character side by side.
"""

import re
from dataclasses import dataclass

FENCE = re.compile(r"([ \t]{0,12})(`{3,}|~{3,})[ \t]{0,4}([\w+#.-]{0,40})([^`\n]{0,200})$")
INLINE = re.compile(
    r"`[^`\n]{1,300}`|\$\$[^$]{1,3000}\$\$|\$[^$\n]{1,500}\$|"
    r"\\\[(?:[^\\]|\\[^\[\]]){1,3000}?\\\]|\\\((?:[^\\]|\\[^()]){1,500}?\\\)"
)
MATH = re.compile(r"^[ \t]*\\(?:begin|end)\{[^{}\n]{1,40}\}", re.MULTILINE)
ADDRESS = re.compile(r"https?://\S+|\\[a-zA-Z]+")


@dataclass(frozen=True)
class Block:
    """A fenced block: its language word, its text, whether its end was there, and the prose line before it."""

    language: str
    text: str
    is_closed: bool
    before: str


def split(text: str) -> tuple[list[str], list[Block]]:
    """The lines of prose, and the fenced blocks."""
    prose: list[str] = []
    blocks: list[Block] = []
    fence, indent, language, kept, before, said = "", "", "", [""], "", ""
    for line in text.splitlines():
        found = FENCE.match(line)
        if not fence and found:
            indent, fence, language, kept = found[1], found[2], found[3].lower(), []
            before = said
        elif fence and found and found[2].startswith(fence) and not found[3] and not found[4].strip():
            blocks.append(Block(language, "\n".join(kept), True, before))
            prose.append("")
            fence = ""
        elif fence:
            kept.append(line.removeprefix(indent))  # a block in a list is indented with it
        else:
            prose.append(line)
            said = line if line.strip() else said
    if fence:
        blocks.append(Block(language, "\n".join(kept), False, before))
    return prose, blocks


def prose(text: str) -> str:
    """The text without fenced blocks, code in the middle of a line, formulas and addresses."""
    outside = MATH.sub(" ", "\n".join(split(text)[0]))
    return ADDRESS.sub(" ", INLINE.sub(" ", outside))


def plain(text: str) -> str:
    """The text without marks of emphasis, so that `**1** 次` reads as 1 次."""
    return re.sub(r"[*_`#>~]+", "", text)
