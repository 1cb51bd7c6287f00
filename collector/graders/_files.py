"""The files that an answer proposes: a line `路径: …` (or `path: …`) and a fenced block after it."""

import re

from collector.graders._text import split

PATH = re.compile(r"^\W*(?:路径|文件路径|path|file)\s*[:：]\s*(\S+)\s*$", re.IGNORECASE)
GONE = re.compile(r"^\W*(?:删除|delete|remove)\s*[:：]\s*(\S+)\s*$", re.IGNORECASE)


def proposed(answer: str) -> tuple[dict[str, str], list[str], bool]:
    """Path → new text; paths to be deleted; whether every block has its end. The last word on a path counts."""
    lines, blocks = split(answer)
    files, is_whole = {}, True
    for block in blocks:
        if named := PATH.match(_bare(block.before)):
            files[named[1]] = block.text + "\n"
            is_whole = is_whole and block.is_closed
    gone = [found[1] for line in lines if (found := GONE.match(_bare(line)))]
    return files, [path for path in gone if path not in files], is_whole


def _bare(line: str) -> str:
    """The line without emphasis and quotation; an underscore belongs to a path."""
    return re.sub(r"[*`“”\"']+", "", line).strip().removeprefix("#").strip()
