"""Where the time of a refresh goes: pages and data made again after one more run, in one process.

python -m scripts.benches._refresh_parts RESULTS NUMBER     NUMBER is that of the run that is added, and taken away
"""

import json
import sys
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

from collector.schema import Results
from scripts.benches import _many_runs
from site_src import build, data_table, downloads, drawing
from site_src.reuse import drawings
from site_src.reuse.answers import Answers
from site_src.reuse.maker import Maker
from site_src.reuse.store import Store
from site_src.warehouse import Warehouse, kept

REST = "pages and the rest"
PARTS: dict[tuple[Any, str], str] = {
    (Warehouse, "refresh"): "the new file",
    (Warehouse, "_make"): "views",
    (Warehouse, "_detail"): "run files of which pages show more",
    (downloads, "reports"): "reports",
    (downloads, "csv"): "marts as CSV and Parquet",
    (downloads, "_parquet"): "marts as CSV and Parquet",
    (downloads, "_operations"): "operations.parquet",
    (drawings, "draw"): "pictures",
    (drawing, "spec"): "specifications of charts",
    (data_table, "html"): "tables",
    (Answers, "digest"): "answers, by their digests",
}


class Parts:
    """Seconds of CPU by part; of parts within each other the inner one counts."""

    def __init__(self) -> None:
        self.taken: defaultdict[str, float] = defaultdict(float)
        self._within = [REST]
        self._since = time.process_time()

    def turn(self) -> None:
        """Book what has passed to the part that is at work."""
        now = time.process_time()
        self.taken[self._within[-1]] += now - self._since
        self._since = now

    def watch(self, owner: Any, name: str, part: str) -> None:
        """Book calls of this function to a part."""
        original: Callable[..., Any] = getattr(owner, name)

        def watched(*given: Any, **named: Any) -> Any:
            self.turn()
            self._within.append(part)
            try:
                made = original(*given, **named)
                return made if not hasattr(made, "__next__") else iter(list(made))
            finally:
                self.turn()
                self._within.pop()

        setattr(owner, name, watched)


def main() -> None:
    results, number = Results(Path(sys.argv[1])), int(sys.argv[2])
    everything(results)
    parts = Parts()
    for (owner, name), part in PARTS.items():
        parts.watch(owner, name, part)
    before = set(results.runs.iterdir())
    _many_runs.write(results, number)
    try:
        parts.turn()
        parts.taken.clear()
        everything(results)
        parts.turn()
    finally:
        for path in set(results.runs.iterdir()) - before:
            path.unlink()
    print(json.dumps(parts.taken))


def everything(results: Results) -> None:
    """What MkDocs is given of the site, in all languages."""
    warehouse = kept(results.root)
    warehouse.refresh()
    store = Store()
    build.in_languages(Maker(warehouse, store))
    store.close()


if __name__ == "__main__":
    main()
