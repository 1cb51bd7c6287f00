"""A small file that is made to cost is named and left out, and costs next to nothing, whatever it says of itself.

Those that keep to every limit are taken; what these cost is told by `scripts/bench bombs`.
"""

import json
from pathlib import Path

import pytest

from collector import capacity
from collector.schema import CLONE, COLUMNS, FORMAT, Results
from site_src.run_file import TooMuch, Untrusted, read, read_run
from tests import bombs
from tests.bombs import Bomb
from tests.programs import finish, program
from tests.raw_parquet import Raw

MOST_MB = 100  # beyond what the program takes without the file
# Looks at each file as `validate` and `review` do, and as the site does; says what they say and what it took.
LOOKED_AT = """
import json, resource, sys
from pathlib import Path
from collector.commands import _faults
from collector.schema import Results
from site_src.warehouse import Warehouse

def peak_mb():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1e6 if sys.platform == "darwin" else 1e3)

Warehouse(Results(Path(sys.argv[1]) / "nothing"))
told = {}
for folder in sorted(Path(sys.argv[1]).iterdir()):
    [path] = (folder / "runs").glob("*.parquet")
    before = peak_mb()
    faults = [fault.happened for fault in _faults.of_file(path, "runs").faults]
    told[folder.name] = [faults, Warehouse(Results(folder)).rows("from damaged_files"), peak_mb() - before]
print(json.dumps(told))
"""
WILD = [bomb for bomb in bombs.BOMBS if not bomb.tame]
TAME = [bomb for bomb in bombs.BOMBS if bomb.tame]


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[list[str], list[dict[str, str]], float]]:
    """Of each wild bomb: what is wrong with it, what the site says of it, and the megabytes that this took."""
    folder = tmp_path_factory.mktemp("bombs")
    for bomb in WILD:
        path = bomb.make(Results(folder / bomb.name))
        assert path.stat().st_size < 11_000_000
    done = finish(program("python", "-c", LOOKED_AT, str(folder)), cwd=CLONE)
    assert done.returncode == 0, done.stderr[-2000:]
    found: dict[str, tuple[list[str], list[dict[str, str]], float]] = json.loads(done.stdout)
    return found


@pytest.mark.parametrize("bomb", WILD, ids=lambda bomb: bomb.name)
def test_it_is_refused_named_and_costs_nothing(
    bomb: Bomb, told: dict[str, tuple[list[str], list[dict[str, str]], float]]
) -> None:
    faults, damaged, megabytes = told[bomb.name]
    assert faults
    assert len(damaged) == 1
    assert damaged[0]["reason"]
    assert megabytes < MOST_MB


QUICK = ("one answer in many chunks", "many samples of memory", "every list at once", "long texts")


@pytest.mark.parametrize("bomb", [bomb for bomb in TAME if bomb.name in QUICK], ids=lambda bomb: bomb.name)
def test_a_file_at_the_limits_is_taken(bomb: Bomb, results: Results) -> None:
    assert len(read_run(bomb.make(results))) > 0


def test_one_more_than_the_limit_is_too_much(results: Results) -> None:
    path = bombs.kept(results, [*bombs.asked(2)])
    most = capacity.LISTED["memory"] + capacity.ROWS
    bombs.with_lists(path, {"memory": (most, bombs.SAMPLE)})
    with pytest.raises(TooMuch, match=r"its column memory\.list\.element\.at_ns has 405,001 values, more than 405,000"):
        read_run(path)


def test_a_raw_file_that_says_the_truth_is_read(tmp_path: Path) -> None:
    """So that it is what it says wrongly for which the others are refused."""
    path = Raw(values=1000).write(tmp_path / "raw.parquet")
    assert read(path, COLUMNS, FORMAT, "a run file")["roundtrip_us"].to_pylist() == [[5] * 1000]


@pytest.mark.parametrize(
    "wrong", [{"told": 999}, {"told": 1001}, {"told": 0}, {"encoding": 6}, {"twice": True}, {"entries": 1001}], ids=str
)
def test_one_value_more_or_less_than_the_summary_says_is_refused(wrong: dict[str, int], tmp_path: Path) -> None:
    path = Raw(values=1000, **wrong).write(tmp_path / "raw.parquet")  # type: ignore[arg-type]
    with pytest.raises(Untrusted, match="it is damaged: "):
        read(path, COLUMNS, FORMAT, "a run file")
