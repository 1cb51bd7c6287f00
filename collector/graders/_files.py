"""The files that an answer proposes: a line `路径: …` (or `path: …`) and a fenced block after it."""

import re
from pathlib import PurePosixPath

from collector.graders._text import split

NAMED = r"\s{0,4}[:：]\s{0,4}([^\s（(]+)(?:\s{0,4}[（(].*)?$"
PATH = re.compile(r"\W{0,8}(?:路径|文件路径|path|file)" + NAMED, re.IGNORECASE)
GONE = re.compile(r"\W{0,8}(?:删除|delete|remove)" + NAMED, re.IGNORECASE)


def proposed(answer: str) -> tuple[dict[str, str], list[str], bool]:
    """Path → new text; paths to be deleted; whether every block has its end. The last word on a path counts."""
    lines, blocks = split(answer)
    files, is_whole = {}, True
    for block in blocks:
        if named := PATH.match(_bare(block.before)):
            files[_usual(named[1])] = block.text + "\n"
            is_whole = is_whole and block.is_closed
    gone = [_usual(found[1]) for line in lines if (found := GONE.match(_bare(line)))]
    return files, [path for path in gone if path not in files], is_whole


def names_a_file(line: str) -> bool:
    """Whether a line of prose is of this form."""
    return bool(PATH.match(_bare(line)) or GONE.match(_bare(line)))


def _usual(path: str) -> str:
    """`./a//b` is `a/b`, so that no file has two names; `..` and a leading `/` stay, and are refused later."""
    return str(PurePosixPath(path))


def _bare(line: str) -> str:
    """The line without emphasis and quotation; an underscore belongs to a path."""
    return re.sub(r"[*`“”\"']+", "", line).strip().removeprefix("#").strip()
