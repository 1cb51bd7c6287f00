"""Whose a file is: told by the folder's list of keys, and said before it is merged."""

import json
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from collector import cli, ownership, signing, store, whole
from collector.commands import _changes, _owner
from collector.errors import KeyUnusable
from collector.schema import CLONE, Results
from site_src.warehouse import Warehouse
from tests import keys
from tests.test_import import TG
from tests.test_signing import OWN, stored

Said = tuple[int, str, str]
Collect = Callable[..., Said]


@pytest.fixture
def collect(results: Results, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Collect:
    """`collect("keys", …)`: exit code, stdout, stderr."""

    def call(*arguments: str) -> Said:
        monkeypatch.setattr(sys, "argv", ["collect", *arguments])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        said = capsys.readouterr()
        return int(ended.value.code or 0), said.out, said.err

    return call


def contributors(results: Results) -> dict[str, str | None]:
    return {
        row["file"]: row["contributor"] for row in Warehouse(results).rows("select file, contributor from stg_runs")
    }


# ---------------------------------------------------------------- the list of keys


def test_a_folder_without_keys_is_all_its_owners(results: Results) -> None:
    stored(results, 1)
    stored(results, 2, by="ada")
    assert set(contributors(results).values()) == {None}


def test_a_claimed_folder_keeps_what_lay_there_and_knows_strangers(results: Results) -> None:
    before = stored(results, 1, by="before")
    assert ownership.claim(results, OWN) == 1
    own, other = stored(results, 2), stored(results, 3, by="ada")
    assert contributors(results) == {before.name: None, own.name: None, other.name: keys.short("ada")}
    assert f"  runs/{before.name}" in results.unsigned.read_text()
    assert ownership.claim(results, OWN) == 0


def test_what_nobody_signed_is_somebody_elses_by_itself(results: Results, monkeypatch: pytest.MonkeyPatch) -> None:
    ownership.claim(results, OWN)
    monkeypatch.setattr(store, "_key", lambda: None)
    paths = [stored(results, number) for number in (1, 2)]
    names = [f"unsigned {whole.digest(path)[:8]}" for path in paths]
    assert contributors(results) == dict(zip([path.name for path in paths], names, strict=True))
    assert ownership.add_files(results, paths[:1]) == 1
    assert contributors(results)[paths[0].name] is None


def test_the_templates_keys_give_way_to_the_first_users(results: Results) -> None:
    stored(results, 1, by="template")
    ownership.claim(results, signing.public(keys.key("template")))
    results.keys.write_text(f"template = true\n{results.keys.read_text()}")
    ownership.claim(results, OWN)
    owners = ownership.read(results)
    assert (owners.keys, owners.is_template) == ({OWN}, False)
    assert set(contributors(results).values()) == {keys.short("template")}


@pytest.mark.parametrize(
    "text",
    [
        "[[key]",
        "key = 1",
        "[[key]]\n",
        "[[key]]\npublic = 3\n",
        '[[key]]\npublic = "AAAA"\n',
        "[key]\npublic = 1\n",
        "\udcff",
    ],
)
def test_a_list_of_keys_that_cannot_be_read_lets_nobody_pass_for_the_owner(text: str, results: Results) -> None:
    stored(results, 1)
    results.keys.write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(KeyUnusable, match=r"keys\.toml"):
        Warehouse(results)


def test_a_warehouse_follows_the_list(results: Results) -> None:
    own, other = stored(results, 1), stored(results, 2, by="ada")
    warehouse = Warehouse(results)
    asked = "select file from stg_runs where contributor is not null"
    assert warehouse.rows(asked) == []
    results.keys.write_text(ownership.HEAD + ownership._entry(OWN))
    warehouse.refresh()
    assert warehouse.rows(asked) == [{"file": other.name}]
    ownership.remove_key(results, OWN)
    warehouse.refresh()
    assert [row["file"] for row in warehouse.rows(f"{asked} order by file")] == sorted([own.name, other.name])


def test_keys_are_shown_added_and_removed(collect: Collect, results: Results) -> None:
    stored(results, 1)
    stored(results, 2, by="ada")
    code, said, told = collect("keys")
    assert (code, "has no keys.toml" in told) == (0, True)
    code, _, told = collect("keys", "add")
    assert (code, f"Key {keys.short('owner')} is listed" in told) == (0, True)
    ownership.read(results)
    results.unsigned.unlink()  # else the other file stays the owner's by its hash
    _, said, _ = collect("keys")
    assert f"{keys.short('owner')}  {OWN}  this repository's, yours: 1 file" in said
    assert f"{keys.short('ada')}  {signing.public(keys.key('ada'))}  contributed: 1 file" in said
    assert collect("keys", "add", keys.short("ada"))[0] == 0
    assert set(contributors(results).values()) == {None}
    assert collect("keys", "remove", keys.short("ada"))[0] == 0
    assert sorted(filter(None, contributors(results).values())) == [keys.short("ada")]
    for wrong in (("add", "no-such"), ("remove", "no-such"), ("remove", signing.public(keys.key("eve")))):
        code, _, told = collect("keys", *wrong)
        assert (code, "error:" in told, "Traceback" in told) == (1, True, False)


# ---------------------------------------------------------------- what a person is told


def test_the_first_that_is_stored_makes_a_folder_its_users(collect: Collect, results: Results, bench: Path) -> None:
    stored(results, 1, by="before")
    code, _, told = collect("import", str(bench))
    assert code == 0
    assert f"Your key {keys.short('owner')} is in {results.keys} now" in told
    assert "So is the file that lay here before" in told
    assert set(contributors(results).values()) == {None}
    _, _, told = collect("import", str(bench))
    assert "key" not in told


def test_who_is_not_listed_is_told_before_measuring(collect: Collect, results: Results, bench: Path) -> None:
    ownership.claim(results, signing.public(keys.key("ada")))
    _, _, told = collect("import", str(bench))
    assert "is shown as contributed. `collect keys add` makes it this repository's." in told.splitlines()[0]
    assert ownership.read(results).keys == {signing.public(keys.key("ada"))}


@pytest.fixture
def bench(tmp_path: Path) -> Path:
    """What llama-bench wrote."""
    path = tmp_path / "bench.json"
    path.write_text(json.dumps([TG]), encoding="utf-8")
    return path


@pytest.mark.parametrize("change", ["another", "gone", "new", "hashes"])
@pytest.mark.parametrize("command", ["review", "validate"])
def test_a_pull_request_that_changes_the_owners_is_refused_and_named_first(
    change: str, command: str, collect: Collect, results: Results, tmp_path: Path
) -> None:
    stored(results, 1)
    if change != "new":
        ownership.claim(results, OWN)
    proposed = Results(
        Path(shutil.copytree(results.root, tmp_path / "proposed", ignore=shutil.ignore_patterns(".journal")))
    )
    if change == "gone":
        proposed.keys.unlink()
    elif change == "hashes":
        ownership.add_files(proposed, [stored(proposed, 2, by="ada")])
    else:
        ownership.add_key(proposed, signing.public(keys.key("ada")))
    code, said, _ = collect(command, str(proposed.root))
    assert code == 1
    first = next(line for line in said.splitlines() if "error" in line or line.startswith(("- **", "### ")))
    named = "unsigned.sha256" if change == "hashes" else "keys.toml"
    assert named in first
    assert "It changes whose measurements are this repository's." in said


def test_review_and_validate_say_whose_a_file_is_and_what_it_changes(collect: Collect, results: Results) -> None:
    stored(results, 1)
    ownership.claim(results, OWN)
    theirs = stored(results, 2, by="ada")
    for command in ("review", "validate"):
        code, said, _ = collect(command, str(theirs))
        assert f"Contributed, signed by {keys.short('ada')}: shown beside this repository's own" in said
        assert "No answer, no pick and no preference of this repository changes." in said
        assert code == 0
    _, said, _ = collect("review", str(stored(results, 3)))
    assert f"This repository's own, signed by {keys.short('owner')}." in said


class Says:
    """A warehouse whose people prefer this; nothing else is known."""

    def __init__(self, verdict: str) -> None:
        self.verdict = verdict

    def rows(self, query: str) -> list[dict[str, str]]:
        about = {"machine": "M3", "a_label": "A", "b_label": "B", "verdict": self.verdict}
        return [about] if "from preference" in query else []


def test_a_preference_that_votes_turn_is_told() -> None:
    before, after = Says("inconclusive"), Says("b preferred")
    assert _changes.told(before, after) == ["What people prefer, A or B, on M3: inconclusive → b preferred."]  # type: ignore[arg-type]
    assert _changes.told(after, after) == [_changes.NOTHING]  # type: ignore[arg-type]


def test_in_a_clone_of_the_template_the_first_run_stands_on_the_front_page(results: Results) -> None:
    shutil.copytree(CLONE / "results", results.root, ignore=shutil.ignore_patterns(".journal"))
    assert ownership.read(results).is_template
    before = Warehouse(results).rows("from overview")[0]
    assert not before["is_plan"]
    stored(results, 1)
    assert Warehouse(results).rows("from overview")[0] == before  # nobody's yet, so contributed
    _owner.claim(results)
    [front, *_] = Warehouse(results).rows("from overview")
    assert (front["is_plan"], front["run_count"]) == (True, 1)
    [data] = Warehouse(results).rows("from data_overview")
    assert (data["run_count"], data["contributed_run_count"]) == (
        1 + len(list((CLONE / "results/runs").glob("*.parquet"))),
        0,
    )


def test_a_folder_from_before_says_the_same_without_keys(results: Results) -> None:
    shutil.copytree(CLONE / "results", results.root, ignore=shutil.ignore_patterns(".journal"))
    claimed = Warehouse(results).rows("from run_summary")
    results.keys.unlink()
    results.unsigned.unlink()
    assert Warehouse(results).rows("from run_summary") == claimed
