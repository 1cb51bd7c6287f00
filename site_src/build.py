"""Makes the site's files: pages, data to download, assets. Knows no site builder; `hooks.py` feeds MkDocs with it."""

import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import jinja2
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
from jinja2.sandbox import SandboxedEnvironment

from site_src.blocks import Blocks
from site_src.warehouse import Warehouse

HERE = Path(__file__).parent
PAGES = HERE / "pages"
ASSETS = HERE / "assets"


class PageFailed(Exception):
    """A page that cannot be made: which one, and what is wrong with it."""


@dataclass(frozen=True)
class Made:
    """One file of the site: its path within it, and what stands there."""

    path: str
    content: bytes | str


def make(warehouse: Warehouse, directory_urls: bool = True) -> Iterator[Made]:
    """Every page, then the data that pages offer, then assets. Raises PageFailed."""
    used: set[str] = set()
    for path in sorted(PAGES.rglob("*.md"), key=lambda path: (path.parent, path.stem != "index", path)):
        name = path.relative_to(PAGES).as_posix()
        yield Made(name, page(warehouse, name, used, directory_urls))
    for view in sorted(used):
        table = warehouse.table(f"from {view}")  # named by our own pages
        yield Made(f"data/{view}.csv", _csv(table))
        yield Made(f"data/{view}.parquet", _parquet(table))
    for path in sorted(path for path in ASSETS.rglob("*") if path.is_file()):
        yield Made(f"assets/{path.relative_to(ASSETS).as_posix()}", path.read_bytes())


def page(warehouse: Warehouse, name: str, used: set[str], directory_urls: bool = True) -> str:
    """One page's Markdown with its blocks filled in. Raises PageFailed."""
    blocks = Blocks(warehouse, _to_root(name, directory_urls), used)
    environment = SandboxedEnvironment(undefined=jinja2.StrictUndefined, autoescape=True, keep_trailing_newline=True)
    environment.globals |= {
        name: getattr(blocks, name) for name in ("chart", "table", "side_by_side", "value", "counted", "has", "one")
    }
    try:
        return environment.from_string((PAGES / name).read_text(encoding="utf-8")).render()
    except Exception as error:  # whatever it is, the page is what its author can mend
        raise PageFailed(f"page {name}: {type(error).__name__}: {error}") from error


def export(warehouse: Warehouse, folder: Path) -> int:
    """Write the site's files as plain Markdown for any other builder; how many."""
    count = 0
    for made in make(warehouse):
        target = folder / made.path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(made.content if isinstance(made.content, bytes) else made.content.encode())
        count += 1
    return count


def _to_root(name: str, directory_urls: bool) -> str:
    path = PurePosixPath(name)
    is_index = path.name == "index.md" or not directory_urls
    return "../" * (len(path.parts) - is_index)


def _csv(table: pa.Table) -> bytes:
    """Arrow writes no nested values as CSV, so these become text."""
    for index, field in enumerate(table.schema):
        if pa.types.is_nested(field.type):
            texts = pa.array([None if value is None else str(value) for value in table[index].to_pylist()], pa.string())
            table = table.set_column(index, field.name, texts)
    out = io.BytesIO()
    pyarrow.csv.write_csv(table, out)
    return out.getvalue()


def _parquet(table: pa.Table) -> bytes:
    out = io.BytesIO()
    pq.write_table(table, out, compression="zstd", write_page_checksum=True)
    return out.getvalue()
