"""A damaged or foreign file is refused with a reason, or reads as what it holds; others are taken in all the same."""

import re
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from collector.schema import CLONE, LARGEST, Results
from site_src import form
from site_src.run_file import Untrusted, read_run
from site_src.warehouse import Warehouse
from tests import damaged_files
from tests.damaged_files import Taker, accident, kinds, stranger, whole
from tests.programs import finish, program
from tests.reduced import REDUCED

numbers = st.integers(0, 10**12)


@pytest.fixture(scope="module")
def taker(tmp_path_factory: pytest.TempPathFactory) -> Taker:
    return Taker(tmp_path_factory.mktemp("taker"))


def many(what: str) -> settings:
    """As often as the tests can afford, always the same."""
    return settings(
        derandomize=True,
        deadline=None,
        database=None,
        max_examples=REDUCED[what][0],
        suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    )


@many("files after an accident")
@given(numbers)
def test_a_damaged_file_is_refused_or_reads_as_the_whole_one(taker: Taker, tmp_path: Path, number: int) -> None:
    assert accident(number, taker, tmp_path) in ("refused", "identical")


@many("files of strangers")
@given(numbers)
def test_a_foreign_file_is_refused_or_reads_as_what_it_holds(taker: Taker, tmp_path: Path, number: int) -> None:
    assert stranger(number, taker, tmp_path) in ("refused", "identical")


def test_another_value_is_seen(taker: Taker, tmp_path: Path) -> None:
    run, path = kinds()[0], tmp_path / "other.parquet"
    path.write_bytes(run.raw)
    table = whole("run")
    assert taker.outcome(run, path, table) == "identical"
    at = table.column_names.index("top_k")
    other = table.set_column(at, "top_k", pa.array([41] * len(table), pa.int32()))
    assert taker.outcome(run, path, other) == "wrong: other values"


# --- found by fuzzing ---


def written(folder: Path, change: Callable[[pa.Table], pa.Table]) -> Path:
    """The run's table, changed."""
    path = folder / "stranger.parquet"
    pq.write_table(change(whole("run")), path)
    return path


def refused(folder: Path, change: Callable[[pa.Table], pa.Table]) -> str:
    """The reason why the run's table, changed, is not read."""
    with pytest.raises(Untrusted) as error:
        read_run(written(folder, change))
    return str(error.value)


def column(name: str, *values: object) -> Callable[[pa.Table], pa.Table]:
    def change(table: pa.Table) -> pa.Table:
        at = table.column_names.index(name)
        kind = table.schema.types[at]
        given = [*values, *[None] * (len(table) - len(values))]
        if pa.types.is_timestamp(kind):
            return table.set_column(at, name, pa.array(given, pa.int64()).cast(kind))
        return table.set_column(at, name, pa.array(given, kind))

    return change


def test_a_small_file_of_countless_rows_is_not_unpacked(tmp_path: Path) -> None:
    def rows(table: pa.Table) -> pa.Table:
        return pa.table({"op_index": pa.repeat(pa.scalar(1, pa.int32()), 1_000_000)}, metadata=table.schema.metadata)

    assert refused(tmp_path, rows) == "it has 1,000,000 rows, more than 5,000"
    assert (tmp_path / "stranger.parquet").stat().st_size < 1_000_000


def test_a_long_text_meant_a_hundred_times_is_not_unpacked(tmp_path: Path) -> None:
    def texts(table: pa.Table) -> pa.Table:
        return pa.table({"output_text": ["x" * 1_000_000] * 100}, metadata=table.schema.metadata)

    assert re.match(r"it unpacks to \d+ MB, more than|a text of it is", refused(tmp_path, texts))


# Reads a file with each byte of its summary changed in turn.
CHANGED_SUMMARIES = """
import sys
from contextlib import suppress
from pathlib import Path
from site_src.run_file import Untrusted, read_run
path = Path(sys.argv[1])
whole = path.read_bytes()
end = len(whole) - 8
start = end - int.from_bytes(whole[end:end + 4], "little")
for at in range(start, end):
    path.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1:])
    with suppress(Untrusted):
        read_run(path)
print(end - start)
"""


def test_no_damaged_summary_ends_the_process(tmp_path: Path) -> None:
    """Over every fiftieth of them pyarrow does, when it is asked about a column."""
    path = written(tmp_path, lambda table: table.select(["run_id", "chunks"]))
    done = finish(program("python", "-c", CHANGED_SUMMARIES, str(path)), cwd=CLONE)
    assert done.returncode == 0, done.stderr[-2000:]
    assert int(done.stdout) > 500


def test_a_name_that_would_stand_for_several_files_is_one(tmp_path: Path) -> None:
    path = tmp_path / "[ab]*?.parquet"
    path.write_bytes(kinds()[0].raw)
    (tmp_path / "a.parquet").write_text("no Parquet at all")
    assert read_run(path).equals(whole("run"))


def test_two_columns_of_one_name_are_refused(tmp_path: Path) -> None:
    twice = refused(tmp_path, lambda table: table.append_column("top_k", table["top_k"]))
    assert twice == "it has two columns of one name"


def test_text_that_is_no_utf8_is_refused(tmp_path: Path) -> None:
    def broken(table: pa.Table) -> pa.Table:
        at, count = table.column_names.index("model_key"), len(table)
        offsets = pa.array([0] + [4] * count, pa.int32()).buffers()[1]
        texts = pa.StringArray.from_buffers(count, offsets, damaged_files.BAD_TEXT)
        return table.set_column(at, "model_key", texts)

    assert refused(tmp_path, broken).startswith("it is damaged: ")


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("completion_tokens", 2**31 - 1, "completion_tokens holds 2147483647"),
        ("started_ns", 2**63 - 1, "started_ns holds 9223372036854775807"),
        ("started_ns", -(2**63), "started_ns holds -9223372036854775808"),
        ("reported_decode_tps", float("nan"), "reported_decode_tps holds what is no number"),
        ("reported_decode_tps", float("inf"), "reported_decode_tps holds what is no number"),
        ("reported_decode_tps", 1e300, "reported_decode_tps holds 1e+300"),
        ("run_started_at", 2**63 - 1, "run_started_at holds 9223372036854775807"),
        ("run_started_at", -1, "run_started_at holds -1"),
        ("bench_tps", [1.0, float("inf")], "bench_tps holds what is no number"),
        ("chunks", [{"gap_us": 2**63 - 1, "kind": "answer", "chars": 1}], "chunks.gap_us holds 9223372036854775807"),
        ("memory", [{"at_ns": 2**62}], f"memory.at_ns holds {2**62}"),
    ],
)
def test_what_nothing_measures_is_refused(tmp_path: Path, name: str, value: object, said: str) -> None:
    """Such numbers made sums of whole views overflow, so that one file took the site down."""
    assert refused(tmp_path, column(name, value)) == f"its column {said}, which nothing measures"


def extreme(name: str, kind: pa.DataType, sign: int) -> object:
    """The largest value of a column that is taken, or the smallest; in lists, three of them."""
    if pa.types.is_list(kind):
        return [extreme(name, kind.value_type, sign)] * 3
    if pa.types.is_struct(kind):
        return {field.name: extreme(f"{name}.{field.name}", field.type, sign) for field in kind}
    types = {"int32": "INTEGER", "int64": "BIGINT", "double": "DOUBLE"}
    if str(kind) not in types:
        return None
    most = 1 if name in form.SHARES else LARGEST[types[str(kind)]]
    return most if sign > 0 else -most if name in form.ANY else 0


def test_the_largest_and_the_smallest_numbers_that_are_taken_break_no_view(results: Results) -> None:
    results.runs.mkdir(parents=True)
    for sign in (1, -1):

        def extremes(table: pa.Table, sign: int = sign) -> pa.Table:
            for name, kind in zip(table.column_names, table.schema.types, strict=True):
                value = extreme(name, kind, sign)
                if value is not None and name not in ("schema_version", "op_index"):
                    table = column(name, *[value] * len(table))(table)
            return column("run_id", *[f"{sign:012}"] * len(table))(table)

        written(results.runs, extremes).rename(results.runs / f"{sign}.parquet")
    warehouse = Warehouse(results)
    assert warehouse.rows("select count(distinct run_id) as n from raw_operations") == [{"n": 2}]
    for view in warehouse.views:
        warehouse.rows(f"from {view}")
