"""A hook of MkDocs: files of the site that did not change are left as they lie, and only what is no more is removed.

MkDocs empties the site's folder before each build. It is shown another folder until it has done so.
"""

import filecmp
import functools
import logging
import os
import tempfile
from contextlib import suppress
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.plugins import event_priority
from mkdocs.structure.files import File, Files
from mkdocs.structure.nav import Navigation
from mkdocs.structure.pages import Page

_folder: list[str] = []  # of the site
_shown: dict[str, str] = {}  # for a while, a folder in the place of another
_began_ns: list[int] = []  # when this build did, by the clock of the folder's disk
_same: set[str] = set()  # pages that are as they were
_written: set[str] = set()  # the paths of what this build has, written or not


def on_pre_build(config: MkDocsConfig) -> None:
    """Let MkDocs empty a folder in which there is nothing."""
    _folder[:] = [config.site_dir]
    config.site_dir = tempfile.mkdtemp(prefix="llm-mac-512-")
    _shown[config.site_dir] = _folder[0]


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Show it the site's folder."""
    with suppress(OSError):
        Path(config.site_dir).rmdir()
    [config.site_dir] = _folder
    Path(config.site_dir).mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=config.site_dir, prefix=".began-") as file:
        _began_ns[:] = [os.fstat(file.fileno()).st_mtime_ns]
    return files


def on_nav(nav: Navigation, files: Files, config: MkDocsConfig) -> Navigation:
    """Have every file go there, and those that are no pages only where they are not there yet."""
    for file in files:
        file.dest_dir = config.site_dir
        vars(file).pop("abs_dest_path", None)  # what was reckoned from the other folder
        _written.add(file.abs_dest_path)
        file.copy_file = functools.partial(_copy, file)  # type: ignore[method-assign]
    return nav


def _copy(file: File, dirty: bool = False) -> None:
    if not _is_there(file):
        File.copy_file(file, dirty)


def _is_there(file: File) -> bool:
    with suppress(OSError):
        if file._content is not None:
            return _holds(file.abs_dest_path, file.content_bytes)
        return filecmp.cmp(str(file.abs_src_path), file.abs_dest_path, shallow=False)
    return False


def _holds(path: str, content: bytes) -> bool:
    with suppress(OSError):
        return Path(path).stat().st_size == len(content) and Path(path).read_bytes() == content
    return False


@event_priority(-100)  # after all who change the page
def on_post_page(output: str, page: Page, config: MkDocsConfig) -> str:
    """Have MkDocs pass over a page that it would write again as it is."""
    if not _holds(page.file.abs_dest_path, output.encode("utf-8", errors="xmlcharrefreplace")):
        return output
    _same.add(page.file.src_uri)
    return ""


def _is_told(record: logging.LogRecord) -> bool:
    """MkDocs calls a page empty that it passes over, and names the folder that it was shown."""
    for shown, real in _shown.items():
        record.msg = str(record.msg).replace(shown, real)
    return not (record.msg.startswith("Page skipped: ") and any(f"'{name}'" in record.msg for name in _same))


logging.getLogger("mkdocs.commands.build").addFilter(_is_told)


def on_post_build(config: MkDocsConfig) -> None:
    """Remove what earlier builds left and this one has not: what is hidden, and other languages, are not its own."""
    other = config.extra.get("other", {}).get("folder", "").strip("/")
    for place, _, names in os.walk(config.site_dir, topdown=False):
        within = Path(place).relative_to(config.site_dir)
        if any(part.startswith(".") for part in within.parts) or (other and within.parts[:1] == (other,)):
            continue
        for name in names:
            path = Path(place, name)
            if not name.startswith(".") and str(path) not in _written and path.lstat().st_mtime_ns < _began_ns[0]:
                path.unlink()
        if within.parts:
            with suppress(OSError):  # not empty
                Path(place).rmdir()
    for known in (_same, _written, _shown):
        known.clear()
