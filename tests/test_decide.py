"""The decision tree: same rows → same bytes; every recommendation is reached; a winner gone changes its leaves only."""

import random
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from collector.schema import CLONE
from site_src import decide, decide_html, decide_svg
from site_src.decide import Answer, Branching, Leaf, Node, Script
from site_src.warehouse import Warehouse
from site_src.words import read
from tests import planted
from tests.planted import Planted, Row, loaded, mlx, speeds
from tests.planted import views_without_comments as views_without_comments
from tests.test_blocks import HOSTILE, Page, assert_harmless
from tests.test_recommendation import FAST, MACHINE, candidate, compare, several, summary

SCRIPT = decide.read(read("en"))
OTHER = "m4"
PLACES = {MACHINE: 1, OTHER: 2}


@pytest.fixture
def views() -> Iterator[Planted]:
    yield planted.shared()
    planted.shared().clear()


def leaves_of(views: Planted, *rows: Row) -> list[Row]:
    """What decision_leaves says of these candidates."""
    views.leave_empty("pairs", "pair_speed", "plan_coverage", "configuration_quality", "stg_runs")
    views.put("machines", *({"machine": name, "place": n, "is_plan": True} for name, n in PLACES.items()))
    views.put("candidates", *rows)
    return views.rows("from decision_leaves")


def reached(node: Node, cell: Row) -> list[Leaf]:
    """Every leaf that the answers for this cell lead to."""
    if isinstance(node, Leaf):
        return [node]
    value = cell[node.question]
    return [leaf for answer, below in node.answers if holds(node, answer, value) for leaf in reached(below, cell)]


def holds(node: Branching, answer: Answer, value: Any) -> bool:
    if answer.word is not None:
        return bool(value == answer.word)
    low, high = (-1 if answer.low is None else answer.low), (10**9 if answer.high is None else answer.high)
    return low < value <= high if SCRIPT.question(node.question)["kind"] == "upto" else low <= value < high


def everything(rows: list[Row], script: Script = SCRIPT) -> str:
    """All that the page shows of the leaves."""
    link: Callable[[Row], str | None] = lambda row: row["configuration_id"] and f"x/{row['configuration_id']}/"  # noqa: E731
    return "\n".join(
        [decide_svg.pictures(rows, script), decide_html.trees(rows, script, link), decide_html.choosers(rows, script)]
    )


# ---------------------------------------------------------------- any world

NAMES = "abcdefg"
SPEEDS = st.sampled_from([20.0, 40.0, 50.0, 60.0])
SIZES = st.sampled_from([40.0, 75.0, 100.0, 150.0, 200.0, 500.0])
GATES = st.sampled_from(["pass", "pass", "warn", "unproven", "fail"])
USABLE = st.sampled_from([None, 0, 65536, 131072, 196608])


@st.composite
def worlds(draw: st.DrawFn) -> tuple[list[Row], dict[str, str | None]]:
    """Candidates on two machines, and what is known of pairs of them."""
    rows = []
    for name in NAMES[: draw(st.integers(1, len(NAMES)))]:
        tps, gate, size = draw(SPEEDS), draw(GATES), draw(SIZES)
        more: Row = {"decode_tps": tps, "decode_tps_low": tps - 1, "decode_tps_high": tps + 1, "request_count": 35}
        more |= {"memory_gb": size, "quality_gate": gate, "context_usable": draw(USABLE)}
        more |= {"is_rated": gate != "fail" and draw(st.integers(0, 5)) > 0}
        if more["context_usable"] == 196608 and draw(st.booleans()):
            more |= {"deep_memory_gb": size + 30, "budget_deep_gb": (size + 30) / 0.75}
        rows.append(candidate(name, machine=draw(st.sampled_from([MACHINE, MACHINE, OTHER])), **more))
    verdicts = ("a faster", "b faster", "equivalent", "inconclusive", None)
    machine = {row["configuration_id"]: row["machine"] for row in rows}
    pairs = [a + b for a in machine for b in machine if a < b and machine[a] == machine[b]]
    return rows, {pair: draw(st.sampled_from(verdicts)) for pair in pairs}


any_world = partial(
    settings, max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@any_world()
@given(world=worlds(), seed=st.integers(0, 99))
def test_in_any_world_the_tree_says_what_the_recommendation_says(views: Planted, world: Any, seed: int) -> None:
    rows, verdicts = world
    views.clear()
    compare(views, verdicts)
    found = leaves_of(views, *rows)
    trees = {machine: decide.tree(own, SCRIPT) for machine, own in decide.by_machine(found).items()}
    names = ("verdict", "configuration_id", "label", "decode_tps", "memory_gb", "quality_gate", "tied_with", "reason")
    cells = views.rows("from recommendation")
    for cell in cells:
        [leaf] = reached(trees[cell["machine"]], cell)
        assert {name: leaf.row[name] for name in names} == {name: cell[name] for name in names}
    fails = {row["configuration_id"] for row in rows if row["quality_gate"] == "fail"}
    assert not fails & {row["configuration_id"] for row in found}
    assert {row["quality_gate"] for row in found if row["priority"] == "quality" and row["label"]} <= {"pass"}

    shuffled = list(found)
    random.Random(seed).shuffle(shuffled)
    assert everything(shuffled) == everything(found)

    winners = sorted({row["configuration_id"] for row in found if row["configuration_id"]})
    if not winners:
        return
    winner = random.Random(seed).choice(winners)
    after = leaves_of(views, *(row for row in rows if row["configuration_id"] != winner))
    trees = {machine: decide.tree(own, SCRIPT) for machine, own in decide.by_machine(after).items()}
    for cell in cells:
        if cell["configuration_id"] != winner and winner.upper() not in (cell["tied_with"] or ""):
            tree = trees.get(cell["machine"])
            picks = {leaf.row["configuration_id"] for leaf in reached(tree, cell)} if tree else {None}
            assert (picks or {None}) == {cell["configuration_id"]}


@pytest.mark.parametrize("order", [["memory_budget_gb", "priority", "context_needed"], ["context_needed", "priority"]])
def test_the_questions_may_be_asked_in_another_order(views: Planted, order: list[str]) -> None:
    compare(views, {"ab": "a faster", "ac": "equivalent", "bc": "inconclusive", "ad": None, "bd": None, "cd": None})
    rows = leaves_of(views, *several())
    script = Script({**SCRIPT.said, "order": order}, SCRIPT.words)
    if len(order) < 3:
        with pytest.raises(ValueError, match="rows for one leaf"):
            decide.tree(rows, script)
        return
    tree = decide.tree(rows, script)
    assert isinstance(tree, Branching)
    assert tree.question == "memory_budget_gb"
    for cell in views.rows("from recommendation"):
        assert [leaf.row["label"] for leaf in reached(tree, cell)] == [cell["label"]]
    ET.fromstring(f"<all>{decide_svg.pictures(rows, script)}</all>")


# ---------------------------------------------------------------- what is said


def test_a_leaf_says_its_pick_and_all_that_qualifies_it_and_leads_to_it(views: Planted) -> None:
    compare(views, {"ab": "equivalent"})
    near = {"decode_tps": 59.54, "decode_tps_low": 58.0, "decode_tps_high": 60.5, "request_count": 35}
    near |= {"interval_kind": "between runs", "decode_run_count": 2}
    rows = leaves_of(views, candidate("a", **FAST), candidate("b", **near, quality_gate="warn"))
    page = Page(everything(rows))
    for said in (
        "59.5 tokens/s (95 % interval 58.0 to 60.5, between runs)",
        "runs: 2, requests: 35",
        "150 GB, measured",
        "quality: warn",
        "confidence: low (level with A; quality warn)",
        "cannot be told from A",
    ):
        assert said in page.text
    assert "x/b/" in {attributes.get("href") for tag, attributes in page.elements if tag == "a"}


def test_unknown_values_are_left_out_and_never_zero(views: Planted) -> None:
    rows = leaves_of(views, candidate("a", decode_tps_low=None, decode_tps_high=None))
    text = Page(everything(rows)).text
    assert "50.0 tokens/s, no interval" in text
    assert "None" not in text


def test_answers_that_lead_to_the_same_are_one_and_a_question_with_one_is_not_asked(views: Planted) -> None:
    rows = leaves_of(views, candidate("a", context_usable=196608, deep_memory_gb=150.0, budget_deep_gb=200.0))
    tree = decide.tree(rows, SCRIPT)
    assert isinstance(tree, Branching)
    speed = {answer.word: below for answer, below in tree.answers}["speed"]
    assert isinstance(speed, Branching)
    assert [answer for answer, _ in speed.answers] == [Answer(low=None, high=196608)]
    assert {isinstance(below, Leaf) for _, below in speed.answers} == {False}
    text = Page(everything(rows)).text
    assert "up to 196,608 tokens" in text
    assert "less than 200 GB" in text


def test_where_nothing_is_rated_there_is_a_sentence_and_no_empty_tree(views: Planted) -> None:
    rows = leaves_of(views, candidate("a", is_rated=False))
    assert isinstance(decide.tree(rows, SCRIPT), Leaf)
    assert {tag for tag, _ in Page(decide_svg.pictures(rows, SCRIPT)).elements} == {"p"}
    assert decide_html.choosers(rows, SCRIPT) == ""
    assert "no configuration is rated" in Page(everything(rows)).text
    nothing = Page(everything([]))
    assert "collect plan --run" in nothing.text
    assert {tag for tag, _ in nothing.elements} == {"p", "code"}


def test_each_machine_has_a_tree_of_its_own(views: Planted) -> None:
    page = Page(everything(leaves_of(views, candidate("a"), candidate("b", machine=OTHER))))
    of = {kind: [one.get("data-machine") for _, one in page.elements if one.get("class") == kind] for kind in (
        "decision-tree", "chooser", "decision-picture")}  # fmt: skip
    assert of == {
        "decision-tree": [MACHINE, OTHER],
        "chooser": [MACHINE, OTHER],
        "decision-picture": [MACHINE] * 3 + [OTHER] * 3,
    }
    assert len({one["id"] for _, one in page.elements if "id" in one}) == len(
        [1 for _, one in page.elements if "id" in one]
    )


def test_without_javascript_the_chooser_is_hidden_and_each_list_has_one_choice(views: Planted) -> None:
    page = Page(decide_html.choosers(leaves_of(views, *several()), SCRIPT))
    chooser = next(attributes for _, attributes in page.elements if attributes.get("class") == "chooser")
    assert "hidden" in chooser
    assert [one["name"] for tag, one in page.elements if tag == "select"] == ["priority", "context", "budget"]
    chosen = [one["value"] for tag, one in page.elements if tag == "option" and "selected" in one]
    assert chosen == ["speed", "0", "267"]


def test_a_hostile_name_stays_text_in_picture_and_list(views: Planted) -> None:
    rows = leaves_of(views, *several())
    words = ("label", "tied_with", "step_subject", "confidence_reason", "reason")
    usual = Page(everything(rows)).structure
    for name in [*HOSTILE, "\x00\x0b\ufffe end", "long " * 99, "x" * 900, "{label} {0} {}"]:
        hostile = [{**row, **{word: f"{row[word]} {name}" for word in words if row[word]}} for row in rows]
        made = everything(hostile)
        assert "\n\n" not in made
        page = Page(made)
        assert_harmless(page)
        assert page.structure == usual
        assert decide_html.clean(f"A {name}") in page.text
        for picture in made.split("<svg")[1:]:
            ET.fromstring(f"<svg{picture.split('</svg>')[0]}</svg>")


@pytest.mark.parametrize(
    ("text", "room", "lines"),
    [
        ("one two three", 20, ["one two three"]),
        ("one two three", 8, ["one two", "three"]),
        ("onetwothree", 4, ["onet", "woth", "ree"]),
        ("一二三四", 4, ["一二", "三四"]),
        ("", 4, [""]),
        ("a b c d e f", 1, ["a", "b", "c", "d", "…"]),
    ],
)
def test_texts_of_a_picture_are_wrapped(text: str, room: int, lines: list[str]) -> None:
    assert decide_svg.wrapped(text, room) == lines


# ---------------------------------------------------------------- the words


def keys(said: Any, at: str = "") -> set[str]:
    if isinstance(said, dict):
        return {key for name, below in said.items() for key in keys(below, f"{at}.{name}")}
    return {at}


def test_a_translation_may_lack_anything_and_says_it_in_english(tmp_path: Path, views: Planted) -> None:
    path = tmp_path / "decision_tree.toml"
    path.write_text('[questions.priority]\nasked = "最看重什么？"\n', encoding="utf-8")
    script = decide.read(read("zh"), path)
    assert script.question("priority")["asked"] == "最看重什么？"
    assert keys(script.said) == keys(SCRIPT.said)
    text = Page(everything(leaves_of(views, candidate("a")), script)).text
    assert "最看重什么？" in text
    assert "How much memory is there?" in text
    assert decide.read(read("zh"), tmp_path / "none.toml").said == SCRIPT.said


def test_a_translation_says_nothing_that_english_does_not() -> None:
    path = CLONE / "site_src" / "zh" / "decision_tree.toml"
    assert keys(decide.read(read("zh"), path).said) == keys(SCRIPT.said)


# ---------------------------------------------------------------- what to type where nothing fits


def command(views: Planted, *rows: Row, needed: int = 0, priority: str = "speed", budget: float = 0) -> str | None:
    found = leaves_of(views, *rows)
    [leaf] = [
        row
        for row in found
        if (row["context_needed"], row["priority"], row["memory_budget_gb"]) == (needed, priority, budget)
    ]
    assert leaf["configuration_id"] is None
    return str(leaf["command"]) if leaf["command"] else None


def cell(name: str, **more: Any) -> Row:
    return {
        "machine": MACHINE,
        "model": "M",
        "variant": name,
        "kind": "speed",
        "run_count": 0,
        "next_rank": 1,
        "planned_memory_gb": 60.0,
        "state": "pending",
        **more,
    }


def key(views: Planted, *names: str) -> None:
    """What these configurations were loaded by."""
    facts = [{"run_id": f"r{name}", "configuration_id": name} for name in names]
    views.put("stg_runs", *facts)
    views.put("raw_facts", *({"run_id": f"r{name}", "model_key": f"pub/{name}"} for name in names))


def test_below_all_that_is_measured_a_cell_of_the_plan_that_would_fit_is_named(views: Planted) -> None:
    views.put("plan_coverage", cell("Q2", next_rank=2), cell("Q1", planned_memory_gb=200.0), cell("Q3", next_rank=3))
    assert command(views, candidate("a")) == 'collect plan --run --next --only "M Q2"'


@pytest.mark.parametrize(
    "more",
    [{"planned_memory_gb": 150.0}, {"run_count": 1}, {"next_rank": None}, {"kind": "context"}, {"machine": OTHER}],
)
def test_a_cell_that_would_not_help_is_not_named(views: Planted, more: Row) -> None:
    views.put("plan_coverage", cell("Q2", **more))
    assert command(views, candidate("a")) is None
    text = Page(everything(views.rows("from decision_leaves"))).text
    assert "No step of the plan would change that." in text


def test_where_no_length_is_shown_usable_the_fastest_climbs_a_ladder(views: Planted) -> None:
    key(views, "a", "b")
    assert command(views, candidate("b"), candidate("a", **FAST), needed=131072) == "collect context --load pub/a"
    views.clear()
    key(views, "a", "b")
    smaller = command(views, candidate("b"), candidate("a", **FAST), needed=131072, priority="memory")
    assert smaller == "collect context --load pub/b"


def test_a_length_that_is_known_to_fail_takes_no_other_ladder(views: Planted) -> None:
    failed = candidate("a", context_usable=65536, context_usable_below=98304)
    assert command(views, failed, needed=131072) is None


def test_a_ladder_longer_than_the_plans_context_is_asked_for_with_its_length(views: Planted) -> None:
    key(views, "a", "b")
    deep = candidate("a", context_usable=196608, model="MiniMax-M2.1")
    told = command(views, deep, needed=196608)
    assert told == "collect context --load pub/a --context-length 196608"  # its memory there is not known


def test_unproven_quality_takes_a_quality_pass_once(views: Planted) -> None:
    key(views, "a")
    told = command(views, candidate("a"), priority="quality")
    assert told == "collect --load pub/a --suite standard+coding-agent --quality --unload"
    views.put("configuration_quality", {"configuration_id": "a", "checked_count": 7, "gate": "unproven"})
    assert command(views, candidate("a"), priority="quality") is None


def test_a_hostile_key_is_left_for_the_person_to_fill_in(views: Planted) -> None:
    key(views, "a; rm -rf ~")
    assert command(views, candidate("a; rm -rf ~"), needed=131072) == "collect context --load KEY"


def test_a_machine_without_lm_studio_is_told_of_the_plan(views: Planted) -> None:
    leaves_of(views, candidate("a", is_rated=False))
    views.put("machines", {"machine": MACHINE, "place": 1, "is_plan": False})
    assert {row["command"] for row in views.rows("from decision_leaves")} == {"collect plan --run"}


def test_whatever_the_quality_gate_failed_is_in_no_leaf(views: Planted) -> None:
    """From the summaries on: the best by far, with outputs that failed."""
    views.leave_empty("pairs", "pair_speed", "plan_coverage", "context_utilization", "prompt_speed", "runs")
    views.put("configuration_quality", *({"configuration_id": name, "gate": gate} for name, gate in GRADED.items()))
    views.put("run_summary", *(summary(name, decode_tps=90.0 - 10 * place) for place, name in enumerate(GRADED)))
    views.put("stg_runs", *({"configuration_id": name, "run_id": name, "machine_memory_gb": 549.0} for name in GRADED))
    picks = {(row["priority"], row["configuration_id"]) for row in views.rows("from decision_leaves")}
    assert {pick for pick in picks if pick[1]} == {("speed", "b"), ("quality", "d"), ("memory", "b")}


GRADED = {"a": "fail", "b": "warn", "c": "unproven", "d": "pass"}


# ---------------------------------------------------------------- from run files to the page


def test_the_page_tells_of_real_runs_and_of_none(given: Callable[..., Warehouse]) -> None:
    from site_src import build

    assert "Nothing is measured yet" in build.page(given(), "decide.md", set())
    warehouse = given([mlx(), *loaded(120), *speeds("a", *[60.0] * 5), *speeds("b", *[62.0] * 5)])
    page = Page(build.page(warehouse, "decide.md", set()))
    [row] = warehouse.rows("from candidates")
    assert f"../configuration/{row['configuration_id']}/" in {one.get("href") for _, one in page.elements}
    assert "svg" in {tag for tag, _ in page.elements}
    assert "&#" not in page.text
