"""Parts of a Markdown text: fenced blocks, and the prose between them."""

import re
from dataclasses import dataclass

FENCE = re.compile(r"\s{0,12}(`{3,}|~{3,})\s*([\w+#.-]*)[^`]*$")
INLINE = re.compile(
    r"`[^`\n]{1,300}`|\$\$[^$]{1,3000}\$\$|\$[^$\n]{1,500}\$|\\\[.{1,3000}?\\\]|\\\(.{1,500}?\\\)", re.DOTALL
)
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
    fence, language, kept, before = "", "", [""], ""
    for line in text.splitlines():
        found = FENCE.match(line)
        if not fence and found:
            fence, language, kept = found[1], found[2].lower(), []
            before = next((said for said in reversed(prose) if said.strip()), "")
        elif fence and found and found[1].startswith(fence) and not found[2]:
            blocks.append(Block(language, "\n".join(kept), True, before))
            prose.append("")
            fence = ""
        elif fence:
            kept.append(line)
        else:
            prose.append(line)
    if fence:
        blocks.append(Block(language, "\n".join(kept), False, before))
    return prose, blocks


def prose(text: str) -> str:
    """The text without fenced blocks, code in the middle of a line, formulas and addresses."""
    return ADDRESS.sub(" ", INLINE.sub(" ", "\n".join(split(text)[0])))


def plain(text: str) -> str:
    """The text without marks of emphasis, so that `**1** 次` reads as 1 次."""
    return re.sub(r"[*_`#>~]+", "", text)
