"""What a hand-kept table may say: whatever ends a view in an error is refused here, with its line."""

import os

import pytest

from collector import capacity
from collector.errors import TableInvalid
from collector.schema import CLONE, Results
from site_src import tables
from site_src.tables import Shape

HEAD = {name: (CLONE / "results" / name).read_text(encoding="utf-8").partition("\n")[0] for name in tables.TABLES}


def refusal(results: Results, name: str, **values: str) -> str:
    """What is said of a table of one row with these values; nothing where it is taken."""
    shape: Shape = tables.TABLES[name]
    row = dict.fromkeys(shape.filled.split(), "x")
    row |= {column: "1" for column in shape.filled.split() if column in shape.numbers.split()}
    row |= {column: str(choices[-1]) for column, choices in shape.one_of.items() if column in shape.filled.split()}
    row |= {"aliases": "x-model"} if name == "models.csv" else {}
    row |= values
    results.root.mkdir(exist_ok=True)
    line = ",".join(row.get(column, "") for column in HEAD[name].split(","))
    (results.root / name).write_text(f"{HEAD[name]}\n{line}\n", encoding="utf-8")
    try:
        tables.read(results.root / name)
    except TableInvalid as error:
        return error.happened
    return ""


@pytest.mark.parametrize("digits", ["١٢", "１２", "1_000", "1e3", "0x10", "", "+5", "१२"])
def test_a_number_is_written_in_ascii_digits(digits: str, results: Results) -> None:
    said = refusal(results, "models.csv", parameters_total_b=digits)
    assert (", not a number" in said) == bool(digits)


@pytest.mark.parametrize(
    ("name", "column", "value"),
    [
        ("models.csv", "layers", "99999999999"),
        ("models.csv", "kv_heads", "1001"),
        ("models.csv", "context_advertised", "-1"),
        ("models.csv", "experts", "1.5"),
        ("models.csv", "parameters_total_b", "9999999999"),
        ("plan.csv", "bits", "99999999999"),
        ("plan.csv", "context_length", "100000000000"),
        ("plan.csv", "budget_s", "1" + "0" * 400),
        ("machines.csv", "gpu_cores", "2.5"),
    ],
)
def test_a_number_that_no_view_could_bear_is_refused(name: str, column: str, value: str, results: Results) -> None:
    assert f"line 2: {column} is " in refusal(results, name, **{column: value})


@pytest.mark.parametrize("alias", ["*", "??*", "[a-z]*", "a*", "x-model *"])
def test_an_alias_of_nearly_everything_is_refused(alias: str, results: Results) -> None:
    assert "stands for models of nearly any name" in refusal(results, "models.csv", aliases=alias)


@pytest.mark.parametrize("name", tables.TABLES)
def test_the_tables_of_this_clone_are_read(name: str) -> None:
    assert len(tables.read(CLONE / "results" / name)) > 0


def test_a_pipe_is_not_waited_for_and_a_long_text_is_none(results: Results) -> None:
    assert "longer than 10,000 characters" in refusal(results, "models.csv", source="x" * (capacity.WORDS + 1))
    (results.root / "models.csv").unlink()
    os.mkfifo(results.root / "models.csv")
    with pytest.raises(TableInvalid, match="it is no regular file"):
        tables.read(results.root / "models.csv")
