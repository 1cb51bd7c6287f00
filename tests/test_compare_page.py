"""Any two configurations of a machine: the mart of pairs, what the browser is given, and what it makes of it."""

import json
import re
from collections.abc import Callable
from html import unescape
from itertools import combinations
from typing import Any

import pytest

from collector.schema import Results
from site_src import build, compare, data_table, words
from site_src.warehouse import Warehouse
from tests.conftest import request
from tests.planted import gguf, loaded, mlx, rung, speeds, suite, written
from tests.rows import sharing
from tests.test_blocks import HOSTILE, Page

Given = Callable[..., Warehouse]
ENGLISH = words.read("en")


@pytest.fixture
def given(given: Given, monkeypatch: pytest.MonkeyPatch) -> Given:
    return sharing(given, monkeypatch)


@pytest.fixture(scope="module")
def five(tmp_path_factory: pytest.TempPathFactory) -> Warehouse:
    """Three configurations of one machine and two of another."""
    results = Results(tmp_path_factory.mktemp("five") / "results")
    here = [mlx(), gguf(), gguf("Q8_0")]
    there = [mlx(gpu_cores=60), gguf(gpu_cores=60)]
    written(results, *[[facts, *suite(40 + number)] for number, facts in enumerate([*here, *there])])
    return Warehouse(results)


def pair(warehouse: Warehouse, where: str = "true") -> dict[str, Any]:
    [row] = warehouse.rows(f"from compare_pairs where {where}")
    return row


# ---------------------------------------------------------------- the mart


def test_every_two_configurations_of_a_machine_are_one_row(given: Given) -> None:
    here = [[facts, *speeds("a", 40)] for facts in (mlx(), mlx("8bit"), gguf(), gguf("Q8_0", "other"), gguf(suite="x"))]
    there = [[{**facts, "gpu_cores": 60}, *speeds("a", 40)] for facts in (mlx(), gguf())]
    ladder = [{"suite": "context", "context_budget_s": 60.0}, *rung(4096)]
    warehouse = given(*here, *there, ladder)
    rows = warehouse.rows("from compare_pairs")
    sides = [frozenset((row["a_configuration_id"], row["b_configuration_id"])) for row in rows]
    assert len(sides) == len(set(sides)) == 10 + 1
    known = warehouse.rows("select machine, configuration_id from run_summary")
    machines = {row["machine"] for row in known}
    wanted = {
        frozenset(two)
        for machine in machines
        for two in combinations([row["configuration_id"] for row in known if row["machine"] == machine], 2)
    }
    assert set(sides) == wanted


def test_forty_configurations_are_780_pairs_newest_first(given: Given) -> None:
    warehouse = given(*[[gguf(f"Q{number % 7 + 2}_0", f"model-{number}"), request(tokens=40)] for number in range(40)])
    rows = warehouse.rows("from compare_pairs")
    assert len({(row["a_configuration_id"], row["b_configuration_id"]) for row in rows}) == len(rows) == 780
    assert [row["pair_place"] for row in rows] == sorted(row["pair_place"] for row in rows)
    assert {row["a_label"] for row in rows[:1]} | {rows[0]["b_label"]} == {
        "unsloth/model-39@q6_0 Q6_0",
        "unsloth/model-38@q5_0 Q5_0",
    }
    assert build.page(warehouse, "compare.md", set()).count("<tr data-machine") == data_table.LONGEST


def test_a_pair_says_what_the_framework_comparison_says(given: Given) -> None:
    sides = ((mlx(), 50, 300.0, 130.0), (gguf(), 40, 250.0, 140.0))
    runs = [
        [
            facts,
            *loaded(gb + number, 20.0 + number, is_repeat=False),
            *suite(tps, repeats=3, cv=0.01, ttft_ms=ttft, seed=number),
        ]
        for facts, tps, ttft, gb in sides
        for number in (0, 1)
    ]
    warehouse = given(*runs)
    row, [delta] = pair(warehouse), warehouse.rows("from framework_delta")
    for name in ("decode_tps_ratio", "ttft_ms_ratio", "peak_memory_ratio", "load_s_ratio"):
        for end in ("", "_low", "_high"):
            assert row[name + end] == delta[name + end], name
    assert (delta["verdict"], row["verdict"]) == ("MLX faster", "first faster")
    assert (row["ttft_verdict"], row["prompt_count"]) == ("first later", 7)
    assert (row["kind"], row["a_label"]) == ("framework", "MiniMax-M2.1 4bit")
    summary = {row["configuration_id"]: row for row in warehouse.rows("from run_summary")}
    for side in "ab":
        own = summary[row[f"{side}_configuration_id"]]
        for name in (
            "decode_tps",
            "decode_tps_low",
            "decode_count",
            "ttft_ms",
            "peak_memory_gb",
            "load_s",
            "load_count",
        ):
            assert row[f"{side}_{name}"] == own[name], name


def test_what_may_not_be_compared_keeps_its_figures_and_says_why(given: Given) -> None:
    row = pair(given([{**mlx(), "server": "mlx_lm.server"}, *speeds("a", 50, 51)], [gguf(), *speeds("a", 40, 41)]))
    assert (row["verdict"], row["ttft_verdict"]) == ("not comparable", "not comparable")
    assert row["decode_tps_ratio"] is row["ttft_ms_ratio"] is row["peak_memory_ratio"] is None
    assert "not both through LM Studio" in row["reason"]
    assert (row["a_decode_tps"], row["b_decode_tps"]) == pytest.approx((50.5, 40.5), rel=1e-3)


def test_namesakes_are_told_apart(given: Given) -> None:
    row = pair(given([{"suite": "one"}, request()], [{"suite": "two"}, request()]))
    assert row["a_label"] != row["b_label"]


# ---------------------------------------------------------------- the page's sentence


@pytest.mark.parametrize(
    ("runs", "said"),
    [
        ([], "**Nothing is measured yet**"),
        ([[request()]], "**One configuration is measured**"),
        (
            [[mlx(server="mlx_lm.server"), request()], [gguf(), request()]],
            "**None of 1 pair of 2 configurations may be",
        ),
        ([[mlx(), *suite(50)], [gguf(), *suite(40)]], "**1 of 1 pair of\n2 configurations may be compared**"),
    ],
)
def test_the_page_says_how_many_may_be_compared(given: Given, runs: list[Any], said: str) -> None:
    assert said in build.page(given(*runs), "compare.md", set())


def test_each_machine_has_a_sentence_of_its_own(given: Given) -> None:
    made = build.page(given([request()], [{"gpu_cores": 60}, request()]), "compare.md", set())
    assert len(re.findall('<div class="answer" data-machine="[^"]+"', made)) == 2


# ---------------------------------------------------------------- what the browser is given


def known(html: str) -> dict[str, Any]:
    [(_, attributes)] = [element for element in Page(html).elements if element[0] == "div"]
    made: dict[str, Any] = json.loads(attributes["data-pairs"] or "")
    return made


def test_the_browser_is_given_texts_with_units_intervals_and_n(given: Given) -> None:
    rows = given([mlx(), *suite(50, repeats=3, cv=0.01)], [gguf(), *suite(40, repeats=3, cv=0.01)]).rows(
        "from compare_pairs"
    )
    told = known(compare.html(rows, ENGLISH, lambda name: f"../configuration/{name}/"))
    [first, second] = [told["sides"][rows[0][f"{side}_configuration_id"]] for side in "ab"]
    assert told["figures"][0] == "decode, tokens/s"
    assert re.fullmatch(r"5\d\.\d tokens/s, 5\d\.\d–5\d\.\d within this run; n = 21", ", ".join(first["figures"][0]))
    assert re.fullmatch(r"4\d\.\d tokens/s, 4\d\.\d–4\d\.\d within this run; n = 21", ", ".join(second["figures"][0]))
    assert first["page"] == f"../configuration/{rows[0]['a_configuration_id']}/"
    [(key, one)] = told["pairs"].items()
    assert key == f"{rows[0]['a_configuration_id']} {rows[0]['b_configuration_id']}"
    ratio, verdict = one["cells"][0]
    assert re.fullmatch(r"1\.2\d, 1\.\d+–1\.\d+ within this run", ", ".join(ratio))
    assert verdict == ["one run a side", ""]
    assert one["notes"][0] == "Prompts in common: 7; requests of both behind the ratios: 42; one run on a side."


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_are_texts(five: Warehouse, name: str) -> None:
    rows = five.rows("from compare_pairs limit 1")
    html = compare.html([{**row, "a_label": name, "reason": name} for row in rows], ENGLISH, lambda name: None)
    told = known(html)
    assert Page(html).structure == ["<div class data-pairs hidden>", "</div>"]
    assert name in [side["name"] for side in told["sides"].values()]
    assert "\n" not in html


# ---------------------------------------------------------------- in the browser


@pytest.fixture
def shown(five: Warehouse, browser: Any) -> Any:
    """A page with nothing but the chooser."""
    html = compare.html(five.rows("from compare_pairs"), ENGLISH, lambda name: f"{name}/")
    script = (build.ASSETS / "compare.js").read_text(encoding="utf-8")
    page = browser.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    machines = [row["machine"] for row in five.rows("from machines order by place")]

    def show(picked: str, address: str = "") -> Any:
        page.route("http://site.test/**", lambda route: route.fulfill(body=document, content_type="text/html"))
        picks = "window.pickMachine = name => { document.documentElement.dataset.shown = name; " \
            "document.dispatchEvent(new Event('machine')); };"  # fmt: skip
        document = (
            f"<!doctype html><html data-shown='{picked}'><body>{html}<script>{picks}{script}</script></body></html>"
        )
        page.goto("about:blank")
        page.goto(f"http://site.test/{address}")
        assert errors == []
        return page

    show.machines = machines  # type: ignore[attr-defined]
    yield show
    page.close()


def options(page: Any, number: int) -> list[str]:
    return [text.strip() for text in page.locator(".compare select").nth(number).locator("option").all_inner_texts()]


def test_two_are_chosen_and_stand_beside_each_other(shown: Any) -> None:
    page = shown(shown.machines[0])
    assert len(options(page, 0)) == 3
    assert len(options(page, 1)) == 2
    page.locator(".compare select").nth(0).select_option(label="MiniMax-M2.1 Q8_0")
    page.locator(".compare select").nth(1).select_option(label="MiniMax-M2.1 4bit")
    heads = page.locator(".compare-card thead th").all_inner_texts()
    assert {head.partition(": ")[2] for head in heads[:2]} == {
        "MiniMax-M2.1 Q8_0",
        "MiniMax-M2.1 4bit",
    }
    assert heads[2:] == ["first over second", "verdict"]
    assert page.locator(".compare-card tbody tr").count() == len(compare.FIGURES)
    assert re.search("#a=[0-9a-f]{12}&b=[0-9a-f]{12}$", page.url)
    assert "Prompts in common: 7" in page.locator(".compare-card").inner_text()


def test_a_link_shows_the_same_two_whatever_machine_was_picked(shown: Any) -> None:
    page = shown(shown.machines[1])
    first, second = (page.locator(".compare select").nth(number).input_value() for number in (0, 1))
    other = shown(shown.machines[0], f"#a={second}&b={first}")
    assert [other.locator(".compare select").nth(number).input_value() for number in (0, 1)] == [second, first]
    assert other.evaluate("document.documentElement.dataset.shown") == shown.machines[1]


def test_with_all_machines_shown_only_two_of_one_can_be_chosen(shown: Any) -> None:
    page = shown("*")
    assert len(options(page, 0)) == 5
    for place in range(5):
        page.locator(".compare select").nth(0).select_option(index=place)
        machine = options(page, 0)[place].rpartition(", ")[2]
        assert {text.rpartition(", ")[2] for text in options(page, 1)} == {machine}
        assert page.locator(".compare-card tbody tr").count() == len(compare.FIGURES)


def test_an_address_that_names_nothing_known_shows_some_pair(shown: Any) -> None:
    page = shown(shown.machines[0], "#a=%22%3E&b=nothing")
    assert page.locator(".compare-card tbody tr").count() == len(compare.FIGURES)


def test_the_chooser_is_hidden_until_its_script_runs(given: Given) -> None:
    made = build.page(given([mlx(), request()], [gguf(), request()]), "compare.md", set())
    [box] = re.findall("<div class=\"compare\"[^>]*?data-pairs='([^']*)'", made)
    assert len(json.loads(unescape(box))["pairs"]) == 1
    assert '<div class="compare" hidden' in made
