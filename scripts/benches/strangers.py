"""Does anything of an owner's move by what others add to the results?

An owner's results of one machine, signed, and beside them files that strangers made up of these (tests/strangers.py):
runs of any speed that claim the owner's machine, with extreme values, with the owner's run ids, times and dates; grades
and votes about the owner's outputs. Each row of each view that is the owner's must stand there as before. With --full
500 files, some at a time. Exit code 1 if anything moved.
"""

import argparse
import shutil
import tempfile
import time
from collections import Counter
from pathlib import Path
from random import Random

from collector.schema import Results
from site_src.warehouse import Warehouse
from tests import keys, reduced, worlds
from tests.strangers import OWNER, Stranger, moved, owned, said

AT_ONCE = 25


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--full", action="store_true", help="500 files instead of a few")
    count = reduced.REDUCED["files added by strangers"][parser.parse_args().full]
    wrong: dict[str, str] = {}
    kinds: Counter[str] = Counter()
    began = time.perf_counter()
    with tempfile.TemporaryDirectory() as name, keys.signing_as(OWNER):
        owner = owned(worlds.make("one machine", Path(name) / "owner"))
        before = said(Warehouse(owner))
        for start in range(0, count, AT_ONCE):
            results = Results(Path(name) / "both")
            shutil.copytree(owner.root, results.root, ignore=shutil.ignore_patterns(".journal"))
            stranger = Stranger(owner, Random(start))
            kinds.update(stranger.add(results).parent.name for _ in range(min(AT_ONCE, count - start)))
            warehouse = Warehouse(results)
            wrong |= moved(before, warehouse)
            kinds["refused"] += len(warehouse.rows("from damaged_files"))
            shutil.rmtree(results.root)
    rows, seconds = sum(map(len, before.values())), time.perf_counter() - began
    print(f"{count} files added: {kinds['runs']} runs, {kinds['grades']} of grades, {kinds['votes']} of votes")
    print(f"{kinds['refused']} of them name a run of the owner's, or cannot be: read by nobody")
    print(f"{len(before)} views, {rows:,} rows of the owner's: {len(wrong)} views moved; {seconds:.0f} s")
    for view, why in wrong.items():
        print(f"    {view}: {why[:300]}")
    return min(len(wrong), 1)


if __name__ == "__main__":
    raise SystemExit(main())
