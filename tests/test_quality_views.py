"""What checks say of outputs, prompts and builds: the gate counts prompts, flips go both ways, unknown is no pass."""

from collections.abc import Callable
from typing import Any

import pytest
import scipy.stats as st

from collector.schema import Results
from site_src import build
from site_src.warehouse import Warehouse
from tests.conftest import request
from tests.planted import Planted, loaded
from tests.planted import views_without_comments as views_without_comments
from tests.texts import LOOP, RIGHT, WRONG, answer, answers, graded

Given = Callable[..., Warehouse]
Row = dict[str, Any]


@pytest.fixture
def views() -> Any:
    from tests import planted

    yield planted.shared()
    planted.shared().clear()


@pytest.fixture
def judged(given: Given, results: Results) -> Given:
    """`judged([rows], …)`: as `given`, with all outputs graded, without a sandbox."""

    def make(*runs: list[Row], **facts: Any) -> Warehouse:
        warehouse = given(*runs, **facts)
        graded(results)
        warehouse.refresh()
        return warehouse

    return make


def one(warehouse: Warehouse, view: str, where: str = "true") -> Row:
    [row] = warehouse.rows(f"from {view} where {where}")
    return row


# ---------------------------------------------------------------- one output


def said(tier: str, check: str, outcome: str, place: int = 0, op: str = "quality", **more: Any) -> Row:
    """A row of stg_grades."""
    row = {"run_id": "r", "op_index": place, "op": op, "build_id": "b", "prompt_id": "p", "prompt_sha256": "h"}
    return {**row, "repeat": 1, "tier": tier, "check_id": check, "outcome": outcome, **more}


@pytest.mark.parametrize(
    ("checks", "outcome", "is_judged"),
    [
        (["pass"], "pass", True),
        (["pass", "pass"], "pass", True),
        (["pass", "partial"], "partial", True),
        (["partial", "fail"], "fail", True),
        (["pass", "unparsed"], "unparsed", True),
        (["fail", "unparsed"], "fail", True),
        (["not run"], "not run", False),
        (["not run", "pass"], "pass", True),
        (["agrees"], "agrees", False),
        (["differs"], "differs", False),
        ([], None, False),
    ],
)
def test_an_output_is_what_its_checks_say_together(
    views: Planted, checks: list[str], outcome: str | None, is_judged: bool
) -> None:
    views.put("stg_grades", said("Q0", "empty", "pass"), *(said("Q1", f"c{i}", one) for i, one in enumerate(checks)))
    [row] = views.rows("from output_quality")
    assert (row["outcome"], row["is_judged"], row["is_broken"]) == (outcome, is_judged, False)


@pytest.mark.parametrize("flaw", ["empty", "template_leak", "degenerate", "language"])
def test_a_broken_output_passes_nothing(views: Planted, flaw: str) -> None:
    views.put("stg_grades", said("Q0", flaw, "fail"), said("Q1", "c", "pass"))
    [row] = views.rows("from output_quality")
    assert (row["outcome"], row["flaws"], row["is_broken"], row["is_judged"]) == ("broken", flaw, True, True)


def test_being_cut_off_is_not_broken(views: Planted) -> None:
    views.put("stg_grades", said("Q0", "truncated", "fail"), said("Q1", "c", "pass"))
    [row] = views.rows("from output_quality")
    assert (row["outcome"], row["is_truncated"], row["is_broken"]) == ("pass", True, False)


# ---------------------------------------------------------------- the gate


def prompts(*counts: tuple[int, int], broken: tuple[int, ...] = (), timed: int = 3, **more: Any) -> list[Row]:
    """Rows of output_quality: for each prompt so many answers passed of so many; `broken` timed outputs by prompt."""
    rows: list[Row] = []
    for number, (passed, total) in enumerate(counts):
        common = {"build_id": "b", "prompt_id": f"p{number}", "prompt_sha256": f"h{number}", "is_truncated": False}
        for repeat in range(total):
            outcome = "pass" if repeat < passed else "fail"
            more_of = {"op": "quality", "outcome": outcome, "is_judged": True, "is_broken": False, "repeat": repeat}
            rows.append({**common, **more_of, **more})
        bad = broken[number] if number < len(broken) else 0
        for repeat in range(timed):
            flaw = "degenerate" if repeat < bad else None
            rows.append({**common, "op": "request", "is_judged": False, "is_broken": repeat < bad, "flaws": flaw})
    return [{"run_id": "r", "op_index": place, **row} for place, row in enumerate(rows)]


@pytest.mark.parametrize(
    ("counts", "broken", "gate"),
    [
        ([(1, 1)] * 9, (), "pass"),
        ([(1, 1)] * 8, (), "unproven"),
        ([(5, 5)] * 7, (), "unproven"),  # 35 answers to seven prompts are seven
        ([(1, 1)] * 19 + [(0, 1)] * 2, (), "pass"),
        ([(1, 1)] * 18 + [(0, 1)] * 3, (), "unproven"),
        ([(1, 1)] * 4 + [(0, 1)] * 3, (), "unproven"),
        ([(0, 1)] * 7, (), "fail"),
        ([(1, 1)] + [(0, 1)] * 6, (), "fail"),
        ([(0, 1)], (), "unproven"),
        ([(1, 1)] * 9, (1,), "warn"),
        ([(1, 1)] * 9, (1, 1, 1), "warn"),
        ([(1, 1)] * 9, (3,), "fail"),
        ([(2, 3)] * 9, (), "pass"),
        ([(1, 2)] * 9, (), "fail"),
        ([], (), None),
    ],
)
def test_the_gate_counts_prompts(
    views: Planted, counts: list[tuple[int, int]], broken: tuple[int, ...], gate: str | None
) -> None:
    views.put("output_quality", *prompts(*counts, broken=broken))
    rows = views.rows("from build_quality")
    assert [row["gate"] for row in rows] == ([gate] if gate else [])


def test_the_interval_of_the_rate_is_wilsons(views: Planted) -> None:
    views.put("output_quality", *prompts(*[(1, 1)] * 4, *[(0, 1)] * 3))
    [row] = views.rows("from build_quality")
    interval = st.binomtest(4, 7).proportion_ci(method="wilson")
    assert (row["passed_share_low"], row["passed_share_high"]) == pytest.approx((interval.low, interval.high))
    assert (row["passed_count"], row["prompt_count"], row["failed_prompts"]) == (4, 7, "p4, p5, p6")


def test_one_broken_output_alone_is_a_warning_though_it_is_all_there_is_of_its_prompt(views: Planted) -> None:
    broken = {"op": "quality", "is_broken": True, "is_judged": True, "outcome": "broken", "flaws": "empty"}
    lost = {"build_id": "b", "prompt_sha256": "x", "prompt_id": "x", **broken}
    views.put("output_quality", *prompts(*[(1, 1)] * 9, timed=0), lost)
    [row] = views.rows("from build_quality")
    assert (row["gate"], row["broken_prompts"]) == ("warn", "x (empty)")


def test_all_any_and_most_repeats_are_told_apart(views: Planted) -> None:
    views.put("output_quality", *prompts((3, 3), (2, 3), (1, 3), (0, 3)))
    [row] = views.rows("from build_quality")
    assert (row["passed_count"], row["passed_once_count"], row["passed_always_count"]) == (2, 3, 1)


def test_answers_that_do_not_end_are_a_warning(views: Planted) -> None:
    views.put("output_quality", *prompts(*[(1, 1)] * 9, is_truncated=True))
    [row] = views.rows("from build_quality")
    assert row["gate"] == "warn"
    assert "9 prompts do not end within the limit" in row["reason"]


# ---------------------------------------------------------------- from texts to marts


def test_right_answers_of_five_prompts_prove_nothing_and_the_reason_says_so(judged: Given) -> None:
    row = one(judged(answers()), "quality")
    assert (row["gate"], row["passed_count"], row["prompt_count"]) == ("unproven", 3, 3)
    assert row["reason"] == "3 of 3 prompts passed; 3 prompts are too few to prove 70 %; 1 program was not run"
    assert (row["agrees_count"], row["opinion_count"]) == (1, 1)


def test_timed_outputs_are_graded_for_validity_alone(judged: Given) -> None:
    row = one(judged(answers(WRONG, op="request")), "quality")
    assert (row["gate"], row["prompt_count"], row["graded_count"]) == ("unproven", 0, 5)
    assert "no quality pass" in row["reason"]


def test_a_loop_in_most_outputs_of_a_prompt_fails_the_gate_and_is_named(judged: Given) -> None:
    loops = [answer("long", LOOP, "request", repeat) for repeat in (1, 2)]
    row = one(judged([*answers(), *loops]), "quality")
    assert (row["gate"], row["broken_prompts"]) == ("fail", "long (degenerate)")


def test_outputs_are_pooled_over_context_suite_and_runs_but_not_over_quantization_or_machine(judged: Given) -> None:
    warehouse = judged(
        answers(),
        [{"context_effective": 65536, "suite": "standard+coding-agent"}, *answers(repeat=2)],
        [{"quantization": "Q8_0"}, *answers()],
        [{"chip": "Apple M4 Max"}, *answers()],
        [{"temperature": 0.2}, *answers()],
    )
    counts = [row["output_count"] for row in warehouse.rows("from build_quality")]
    assert sorted(counts) == [5, 5, 5, 10]
    assert len(warehouse.rows("from configuration_quality")) == 5


def test_what_a_failing_build_wrote_is_never_recommended(judged: Given) -> None:
    fast = [request(prompt, repeat, tps=90.0, output_text=LOOP) for prompt in "ab" for repeat in (1, 2, 3)]
    good = [request(prompt, repeat, tps=40.0, output_text="好的。") for prompt in "ab" for repeat in (1, 2, 3)]
    rows = ([{"quantization": "Q4_0"}, *loaded(130), *fast], [{"quantization": "Q4_K_M"}, *loaded(130), *good])
    warehouse = judged(*rows)
    picks = {row["quantization"] for row in warehouse.rows("from recommendation where configuration_id is not null")}
    assert picks == {"Q4_K_M"}
    reasons = {row["quantization"]: row["reason"] for row in warehouse.rows("from candidates")}
    assert reasons["Q4_0"] == "its outputs failed the quality gate"


def test_the_columns_of_quality_are_filled_in_other_marts(judged: Given) -> None:
    def run(quantization: str, texts: dict[str, str], size: int, model: str = "minimax-m2.1") -> list[Row]:
        facts = {"quantization": quantization, "file_bytes": size, "model_key": model}
        return [facts, request(output_text="好的。"), *answers(texts)]

    warehouse = judged(run("Q8_0", RIGHT, 9), run("Q4_K_M", WRONG, 5), run("Q4_K_M", RIGHT, 5, "qwen3-coder-next"))
    [small] = warehouse.rows("from quant_tradeoff where quantization = 'Q4_K_M' and model = 'MiniMax-M2.1'")
    assert (small["passed_count"], small["checked_count"], small["lost_count"], small["gained_count"]) == (0, 3, 3, 0)
    assert (small["quality_gate"], small["reference_quality_gate"]) == ("fail", "unproven")
    pair = one(warehouse, "model_comparison")
    assert (pair["passed_count"], pair["checked_count"], pair["other_passed_count"]) == (0, 3, 3)
    asked = {row["question"]: row for row in warehouse.rows("from answers")}
    assert asked[7]["verdict"] == "breaks at 4 bit"
    assert "of 3 prompts 3 lost, 0 gained, p = 0.25" in asked[7]["evidence"]
    assert "of 3 prompts both pass 0, only the first 0, only the second 3, p = 0.25" in asked[4]["evidence"]


# ---------------------------------------------------------------- flips


@pytest.mark.parametrize("lost", range(9))
@pytest.mark.parametrize("gained", [0, 1, 3, 8])
def test_the_test_of_flips_is_the_exact_one_of_mcnemar(views: Planted, lost: int, gained: int) -> None:
    sides = [("a", "b", (1, 0), lost), ("a", "b", (0, 1), gained), ("a", "b", (1, 1), 2)]
    rows: list[Row] = []
    for a, b, passed, count in sides:
        for _ in range(count):
            prompt = {"prompt_sha256": f"h{len(rows)}", "prompt_id": f"p{len(rows)}", "judged_count": 1}
            rows += [{**prompt, "build_id": side, "is_passed": bool(p)} for side, p in zip((a, b), passed, strict=True)]
    known = {"machine": "m", "server": "lmstudio", "endpoint": "e", "model": "M", "runtime": "mlx", "sampling": "s"}
    builds = [{"build_id": id, "label": id, "bits": bits, "reference_id": "a"} for id, bits in (("a", 8), ("b", 4))]
    views.put("builds", *({**known, **one} for one in builds))
    views.put("prompt_quality", *rows)
    [row] = views.rows("from quality_flips")
    p = st.binomtest(lost, lost + gained).pvalue if lost + gained else 1.0
    assert row["p_value"] == pytest.approx(p)
    wanted = ("worse" if lost > gained else "better") if p < 0.05 else "inconclusive"
    assert (row["kind"], row["lost_count"], row["gained_count"], row["verdict"]) == ("reference", lost, gained, wanted)
    assert (row["both_count"], row["prompt_count"]) == (2, lost + gained + 2)


def test_mlx_is_compared_with_llama_cpp_and_model_with_model_at_equal_bits(judged: Given) -> None:
    warehouse = judged(
        [{"quantization": "Q4_K_M"}, *answers()],
        [{"quantization": "4bit", "runtime": "mlx"}, *answers(WRONG)],
        [{"quantization": "8bit", "runtime": "mlx"}, *answers()],
        [{"quantization": "Q4_K_M", "model_key": "qwen3-coder-next"}, *answers()],
    )
    found = {(row["kind"], row["quantization"], row["other_quantization"], row["lost_count"], row["gained_count"])
             for row in warehouse.rows("from quality_flips")}  # fmt: skip
    assert found == {
        ("runtime", "Q4_K_M", "4bit", 3, 0),
        ("reference", "8bit", "4bit", 3, 0),
        ("model", "Q4_K_M", "Q4_K_M", 0, 0),
    }


def test_builds_without_a_prompt_in_common_are_not_comparable(judged: Given) -> None:
    warehouse = judged([{"quantization": "Q8_0"}, answer("short", RIGHT["short"])], answers({"long": RIGHT["long"]}))
    row = one(warehouse, "quality_flips")
    assert (row["verdict"], row["reason"], row["p_value"]) == ("not comparable", "no prompt judged on both sides", None)


# ---------------------------------------------------------------- texts side by side


def test_an_answer_that_could_end_is_shown_before_a_timed_one(judged: Given) -> None:
    warehouse = judged(
        [*answers({"short": "计时的。"}, op="request"), *answers({"short": RIGHT["short"]})],
        [{"quantization": "Q8_0"}, *answers({"short": "只有计时的。"}, op="request")],
    )
    found = {row["quantization"]: (row["taken_from"], row["output_text"]) for row in warehouse.rows("from outputs")}
    assert found["Q4_K_M"] == ("quality pass", RIGHT["short"])
    assert found["Q8_0"] == ("timed, cut off at the plan's limit", "只有计时的。")


def test_what_a_model_wrote_is_shown_and_nothing_in_it_is_followed(judged: Given) -> None:
    hostile = "</pre></div><script>alert(1)</script><img src=x onerror=alert(1)>\n\n# Title\n\n"
    hostile += '{{ one("runs") }} \u202e\x1b[2J'
    page = build.page(judged([answer("short", hostile, reasoning_text="<script>2</script>")]), "outputs.md", set())
    assert "<script>" not in page
    assert "<img" not in page
    assert "&lt;script&gt;alert(1)" in page
    assert "{{ one(&#34;runs&#34;) }}" in page or "{{ one(&quot;runs&quot;) }}" in page
    assert "\x1b" not in page
    assert "\u202e" not in page
    assert "\n# Title" not in page


def test_a_very_long_text_is_cut_on_the_page_and_the_rest_counted(judged: Given) -> None:
    page = build.page(judged([answer("short", "好" * 12_345)]), "outputs.md", set())
    assert "345 more characters are in the download." in page


@pytest.mark.parametrize(
    ("texts", "words"),
    [
        ([], "No output is graded yet"),
        (answers(WRONG, op="request"), "Validity only"),
        (answers(), "0 fail, 0 warn,\n1 stay unproven"),
        ([*answers(), *(answer("long", LOOP, "request", n) for n in (1, 2))], "broken on 1 of 5 prompts"),
    ],
)
def test_the_page_begins_with_what_is_known(judged: Given, texts: list[Row], words: str) -> None:
    page = build.page(judged(*([texts] if texts else [])), "quality.md", set())
    assert words in page.replace("&#32;", " ")
