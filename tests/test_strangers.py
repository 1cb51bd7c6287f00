"""Nothing of the owner's moves by what others add, and every rule that holds them apart is needed."""

import shutil
from pathlib import Path
from random import Random
from typing import Any

import pytest

from collector.schema import Results
from site_src import build, counted_once
from site_src.warehouse import Warehouse
from tests import keys, reduced, worlds
from tests.planted import shared
from tests.rows import mutated
from tests.strangers import OWNER, STRANGERS, Stranger, moved, owned, said

FILES, AT_ONCE = reduced.REDUCED["files added by strangers"][0], 18

# Of each view that keeps strangers out: the words that do it, and what stands there without the rule.
RULES = {
    "stg_runs": (
        "concat_ws('-by-', machine_alone, replace(contributor, ' ', '-')) as machine",
        "machine_alone as machine",
    ),
    "stg_grades": ("(grades.contributor is null or grades.contributor = stg_runs.contributor)", "true"),
    "counted_votes": ("where contributor is null", ""),
    "output_pairs": ("contributor is null and", ""),
    "request_flags": ("(partition by prompt_sha256, contributor", "(partition by prompt_sha256"),
    "plan_runs": ("and stg_runs.contributor is null", ""),
    "plan_coverage": ("and contributor is null", ""),
    "machines": ("order by contributor is not null,", "order by"),
    "machines ": ("plan_run_count > 0 and contributor is null", "plan_run_count > 0"),
    "candidates": (
        "anti join (select machine from stg_runs where contributor is not null) as others using (machine)",
        "",
    ),
    "answers": ("and contributor is null", ""),
    "practices": ("and machines.contributor is null", ""),
    "feed": (
        "anti join (select machine from machines where contributor is not null) as others"
        " on others.machine = runs.machine",
        "",
    ),
    "data_overview": ("filter (contributor is null) as run_count", "as run_count"),
}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Results:
    """The owner's results, signed and claimed."""
    with keys.signing_as(OWNER):
        return owned(worlds.make("one machine", tmp_path_factory.mktemp("owner") / "results"))


@pytest.fixture(scope="module")
def alone(world: Results) -> Warehouse:
    """The owner's results as pages show them."""
    return Warehouse(world)


@pytest.fixture(scope="module")
def before(alone: Warehouse) -> dict[str, list[dict[str, Any]]]:
    return said(alone)


def beside(world: Results, place: Path) -> Results:
    shutil.copytree(world.root, place, ignore=shutil.ignore_patterns(".journal"))
    return Results(place)


@pytest.mark.parametrize("seed", range(FILES // AT_ONCE))
def test_no_file_that_a_stranger_adds_moves_anything(
    seed: int, world: Results, before: dict[str, list[dict[str, Any]]], tmp_path: Path
) -> None:
    results = beside(world, tmp_path / "results")
    stranger = Stranger(world, Random(seed))
    for _ in range(AT_ONCE):
        stranger.add(results)
    assert moved(before, Warehouse(results)) == {}


@pytest.fixture(scope="module")
def crowd(world: Results, tmp_path_factory: pytest.TempPathFactory) -> Results:
    """What each rule is there for: more runs than the owner has, by one key, and every kind of judgment by another."""
    results = beside(world, tmp_path_factory.mktemp("crowd") / "results")
    stranger = Stranger(world, Random(1))
    count = len(list(world.runs.glob("*.parquet")))
    for place in range(2 * count):
        stranger.run(results, STRANGERS[place > count + 2], place, prompt_tokens=9000)
    with keys.signing_as(STRANGERS[1]):
        for _ in range(6):
            stranger._grades(results)
            stranger._votes(results)
    return results


@pytest.fixture(scope="module")
def together(crowd: Results) -> Warehouse:
    """The owner's results and the strangers', as pages show them."""
    return Warehouse(crowd)


def test_with_every_rule_nothing_moves(together: Warehouse, before: dict[str, list[dict[str, Any]]]) -> None:
    assert moved(before, together) == {}


def test_a_contributed_configurations_page_says_so_whichever_machine_is_chosen(together: Warehouse) -> None:
    asked = "select configuration_id, contributor from configuration join machines using (machine)"
    whose = {row["configuration_id"]: row["contributor"] for row in together.rows(asked)}
    theirs = next(name for name, contributor in whose.items() if contributor)
    own = next(name for name, contributor in whose.items() if not contributor)
    page = "configuration/[configuration_id].md"
    told = f'<p class="contributed">Contributed ({whose[theirs]}): '
    assert told in build.page(together, page, set(), only=("configuration_id", theirs))
    assert 'class="contributed"' not in build.page(together, page, set(), only=("configuration_id", own))
    assert '<p class="contributed" data-machine="' in build.page(together, "index.md", set())


@pytest.mark.parametrize("view", RULES)
def test_a_rule_taken_out_of_a_view_is_noticed_there(
    view: str, together: Warehouse, before: dict[str, list[dict[str, Any]]]
) -> None:
    name = view.strip()
    assert moved(before, together, [name]) == {}
    with mutated(together, name, *RULES[view]):
        assert list(moved(before, together, [name])) == [name]


@pytest.mark.parametrize("contributor", [None, "0a1b2c3d"])
def test_a_similarity_counts_that_was_measured_here(contributor: str | None) -> None:
    planted = shared()
    about = {"op": "fidelity", "machine": "m", "prompt_sha256": "p"}
    planted.put(
        "stg_outputs",
        *({**about, "run_id": name, "op_index": 0, "text_sha256": name, "build_id": name} for name in ("one", "two")),
    )
    planted.put(
        "builds", *({"build_id": name, "machine": "m", "label": name, "reference_id": "two"} for name in ("one", "two"))
    )
    grade = {
        "run_id": "one",
        "op_index": 0,
        "text_sha256": "one",
        "prompt_sha256": "p",
        "tier": "Q2",
        "check_id": "alike",
    }
    other = {"other_run_id": "two", "other_op_index": 0, "other_sha256": "two", "share": 0.5, "grader_version": 1}
    planted.put("raw_grades", {**grade, **other, "contributor": contributor})
    assert [row["similarity"] for row in planted.rows("from similarity")] == ([] if contributor else [0.5])
    planted.clear()


def test_next_runs_are_the_owners() -> None:
    planted = shared()
    planted.put("machines", {"machine": "mine"}, {"machine": "theirs", "contributor": "0a1b2c3d"})
    provisional = {"verdict": "provisional", "cv": 0.02, "cv_degrees": 2, "run_count": 1, "server": "lmstudio"}
    planted.put("stability", *({**provisional, "machine": name, "label": name} for name in ("mine", "theirs")))
    planted.leave_empty("pair_runs", "pairs", "configurations", "stg_runs", "candidates", "plan_coverage")
    assert [row["machine"] for row in planted.rows("from next_runs")] == ["mine"]
    planted.clear()


def test_a_strangers_file_never_takes_the_place_of_the_owners(
    world: Results, alone: Warehouse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    results = beside(world, tmp_path / "results")
    own = alone.rows("select run_id from stg_runs order by run_started_at limit 1")[0]["run_id"]
    Stranger(world, Random(2)).run(results, STRANGERS[0], run_id=own, run_started_at=worlds.STARTED.replace(year=2025))
    [named] = Warehouse(results).rows("from damaged_files")
    assert named["contributor"] == keys.short(STRANGERS[0])
    monkeypatch.setattr(
        counted_once, "FOUND", counted_once.FOUND.replace("is_contributed, run_started_at", "run_started_at")
    )
    [named] = Warehouse(results).rows("from damaged_files")
    assert named["contributor"] is None


def test_pages_say_of_the_owner_what_they_said_and_of_others_whose_it_is(alone: Warehouse, together: Warehouse) -> None:
    name = keys.short(STRANGERS[0])
    for page in ("index", "answers", "decide", "quantization"):
        then, now = (build.page(each, f"{page}.md", set()) for each in (alone, together))
        assert f"Contributed ({name})" in now
        assert f"-by-{name}" in now
        lines = now.splitlines()
        assert [line for line in then.splitlines() if len(line) < 300 and line not in lines] == []
