"""Votes: stored at once and nameless; judged blind; nothing a model wrote steers the terminal; forged ones ignored."""

import math
import os
import pty
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner, Result
from scipy import stats

from collector import cli, store, suite, votes
from collector.backends import Facts
from collector.commands import vote as vote_command
from collector.errors import NobodyToAsk, NothingToVote, StoreFailed
from collector.graders import Output
from collector.judgments import CHOICES, VOTE, VOTES_FORMAT
from collector.schema import CLONE, Results
from site_src import bradley_terry
from site_src.visible import CONTROLS
from site_src.warehouse import Warehouse
from tests import planted
from tests.conftest import request
from tests.planted import Planted, gguf, mlx, written
from tests.planted import views_without_comments as views_without_comments
from tests.programs import Child
from tests.rows import Given, Row, sharing
from tests.rows import shared as shared_warehouse

ME, OTHER = "0123456789ab", "ba9876543210"


@pytest.fixture(autouse=True)
def _one_warehouse(given: Given, monkeypatch: pytest.MonkeyPatch) -> None:
    """For `warehouse`, and for the command."""

    def refill(results: Results) -> Warehouse:
        kept = shared_warehouse()
        kept.results = results
        kept.refresh()
        return kept

    sharing(given, monkeypatch)
    monkeypatch.setattr("site_src.warehouse.Warehouse", refill)
    monkeypatch.setattr(sys.modules[__name__], "warehouse", refill)


def warehouse(results: Results) -> Warehouse:  # replaced by the one above
    raise NotImplementedError


@pytest.fixture
def views() -> Iterator[Planted]:
    yield planted.shared()
    planted.shared().clear()


# ---------------------------------------------------------------- outputs, and votes on them


def quality(text: str | None, prompt: str = "qa", repeat: int = 1, nonce: str | None = None, **more: Any) -> Facts:
    """An output of the quality pass; its nonce is the same in every build."""
    digits = nonce or f"{sum(map(ord, prompt)) % 1000:03d}{repeat:03d}"
    return {**request(prompt, repeat, output_text=text, nonce=digits, tokens=3), "op": "quality", **more}


def answers(name: str, prompts: str = "p", repeats: int = 1) -> list[Facts]:
    """One output of a build for each prompt (a letter) and repeat; all of them differ from other builds' ones."""
    return [
        quality(f"{name} on {prompt}, {repeat}", prompt, repeat)
        for prompt in prompts
        for repeat in range(1, repeats + 1)
    ]


def two_builds(results: Results, prompts: str = "p", repeats: int = 1, **more: Any) -> None:
    written(
        results, [mlx(**more), *answers("one", prompts, repeats)], [gguf(**more), *answers("two", prompts, repeats)]
    )


def pairs(results: Results) -> list[Row]:
    return warehouse(results).rows("from vote_choices order by place")


def file_of(
    results: Results, pair: Row, choice: str = "a", voter: str = ME, name: str | None = None, **more: Any
) -> Path:
    """A vote file as anybody could write one."""
    count = len(list(results.votes.glob("*"))) if results.votes.exists() else 0
    known = {column.name: pair.get(column.name) for column in VOTE}
    row = {**known, "vote_id": f"{count:012x}", "voter": voter, "choice": choice, "shown_first": "a", **more}
    target = results.votes / (name or f"vote-{count:04d}.parquet")
    store.keep(results, store.rows_as_table([row], VOTE, VOTES_FORMAT), target, "vote", "The vote", "")
    return target


def kept(results: Results) -> list[Row]:
    """What all vote files hold."""
    return [row for path in sorted(results.votes.glob("*.parquet")) for row in pq.read_table(path).to_pylist()]


# ---------------------------------------------------------------- the store


def test_a_vote_is_a_file_of_its_own(results: Results) -> None:
    two_builds(results)
    [pair] = pairs(results)
    facts = {name: pair.get(name) for name in (column.name for column in VOTE)}
    facts |= {"choice": "tie", "shown_first": "b"}
    paths = [votes.keep(results, facts) for _ in range(2)]
    assert len(set(paths)) == 2
    for path in paths:
        assert path.parent == results.votes
        (vote_id,) = re.fullmatch(r"vote-\d{8}t\d{6}z-([0-9a-f]{12})\.parquet", path.name).groups()  # type: ignore[union-attr]
        (row,) = pq.read_table(path).to_pylist()
        assert row["vote_id"] == vote_id
        assert f"{row['voted_at']:%Y%m%dt%H%M%Sz}" in path.name
        assert (row["choice"], row["shown_first"]) == ("tie", "b")
        assert [row[name] for name in ("a_sha256", "b_sha256")] == [pair["a_sha256"], pair["b_sha256"]]
        assert None not in row.values()
    assert warehouse(results).rows("from raw_damaged_judgments") == []
    assert list(results.journals.glob("*.part")) == []


def test_what_is_no_choice_is_no_vote(results: Results) -> None:
    for wrong in ({"choice": "both"}, {"shown_first": "c"}):
        with pytest.raises(ValueError, match="no vote"):
            votes.keep(results, {"choice": "a", "shown_first": "a", **wrong})
    assert not results.votes.exists()


def test_a_vote_that_cannot_be_written_is_said(results: Results) -> None:
    results.root.mkdir()
    results.votes.write_text("no folder")
    with pytest.raises(StoreFailed, match="The vote could not be written"):
        votes.keep(results, {"choice": "a", "shown_first": "a"})


def test_a_voter_is_random_digits_kept_on_this_machine(results: Results, tmp_path: Path) -> None:
    made = votes.voter(results)
    assert re.fullmatch("[0-9a-f]{12}", made)
    assert votes.voter(results) == made
    assert votes.voter(Results(tmp_path / "other")) != made
    assert results.voter.read_text() == f"{made}\n"
    assert [path.name for path in results.journals.iterdir()] == ["voter"]


@pytest.mark.parametrize("broken", ["", "Ada Lovelace\n", "0123456789AB", "\xff\xfe", "0123456789abcdef"])
def test_a_voter_is_never_a_name(results: Results, broken: str) -> None:
    results.journals.mkdir(parents=True)
    results.voter.write_text(broken, encoding="latin-1")
    assert re.fullmatch("[0-9a-f]{12}", votes.voter(results))


def test_a_voter_that_cannot_be_kept_is_said(results: Results) -> None:
    results.root.mkdir()
    results.journals.write_text("no folder")
    with pytest.raises(StoreFailed, match="digits could not be kept"):
        votes.voter(results)


def test_git_ignores_the_voter_and_takes_votes() -> None:
    def ignored(path: str) -> bool:
        return subprocess.run(["git", "check-ignore", "-q", path], cwd=CLONE, check=False).returncode == 0

    assert ignored("results/.journal/voter")
    assert not ignored("results/votes/vote-20261122t120000z-0123456789ab.parquet")


# ---------------------------------------------------------------- which outputs can be judged


TEXTS = [("answer", "thought"), ("答案 🙂", None), (None, "thought"), ("", ""), ("a\x1fb\nc\t", "\x1f"), (" x ", "")]


def test_the_views_hash_a_text_as_graders_do(results: Results) -> None:
    texts = (quality(text, reasoning_text=thought, nonce=f"{n:06d}") for n, (text, thought) in enumerate(TEXTS))
    written(results, [mlx(), *texts])
    found = warehouse(results).rows("select text_sha256 from stg_outputs order by op_index")
    assert [row["text_sha256"] for row in found] == [
        Output(text or "", thought or "").sha256 for text, thought in TEXTS
    ]


def test_failed_requests_and_other_operations_are_no_outputs(results: Results) -> None:
    rows = [quality("x", error_kind=kind, op=op, nonce=f"{n:06d}") for n, (kind, op) in enumerate((
        (None, "request"), (None, "quality"), (None, "fidelity"), ("truncated_in_reasoning", "quality"),
        ("timeout", "quality"), (None, "warmup"), (None, "warm"), (None, "context"),
    ))]  # fmt: skip
    written(results, [mlx(), *rows])
    assert [row["op_index"] for row in warehouse(results).rows("from stg_outputs order by op_index")] == [0, 1, 2, 3]


def test_two_answers_to_the_same_request_can_be_judged(results: Results) -> None:
    two_builds(results, "pq", repeats=2)
    found = pairs(results)
    assert sorted((row["prompt_id"], row["nonce"][3:]) for row in found) == [
        *(("p", "001"), ("p", "002"), ("q", "001"), ("q", "002"))
    ]
    assert all(row["a_id"] < row["b_id"] and row["a_sha256"] != row["b_sha256"] for row in found)
    assert {(row["vote_count"], row["prompt_vote_count"], tuple(row["voters"])) for row in found} == {(0, 0, ())}


ONE, TWO = quality("one"), quality("two")
NOTHING_TO_JUDGE: dict[str, list[list[Facts]]] = {
    "one build": [[mlx(), ONE], [mlx(), TWO]],
    "another prompt": [[mlx(), ONE], [gguf(), quality("two", "other", nonce=ONE["nonce"])]],
    "another text of the prompt": [[mlx(), ONE], [gguf(), {**TWO, "prompt_sha256": "changed"}]],
    "another nonce": [[mlx(), ONE], [gguf(), quality("two", nonce="999999")]],
    "no nonce": [[mlx(), {**ONE, "nonce": None}], [gguf(), {**TWO, "nonce": None}]],
    "another machine": [[mlx(), ONE], [gguf(chip="Apple M4 Max"), TWO]],
    "the same text": [[mlx(), ONE], [gguf(), ONE]],
    "the same answer after other thoughts": [[mlx(), {**ONE, "reasoning_text": "hm"}], [gguf(), ONE]],
    "the same answer but for blanks around it": [[mlx(), quality("one\n")], [gguf(), quality("  one")]],
    "no answer": [[mlx(), quality(None)], [gguf(), TWO]],
    "a blank answer": [[mlx(), quality(" \n\t")], [gguf(), TWO]],
    "a failed request": [[mlx(), ONE], [gguf(), {**TWO, "error_kind": "timeout"}]],
    "requests for speed": [[mlx(), {**ONE, "op": "request"}], [gguf(), {**TWO, "op": "request"}]],
}


@pytest.mark.parametrize("runs", NOTHING_TO_JUDGE.values(), ids=NOTHING_TO_JUDGE)
def test_nothing_else_can(results: Results, runs: list[list[Facts]]) -> None:
    written(results, *runs)
    assert pairs(results) == []


def test_what_quality_is_pooled_over_is_one_build(results: Results) -> None:
    """Context length and suite are none of it; sampling is."""
    written(
        results, [mlx(), ONE], [mlx(context_effective=4096, suite="other"), TWO], [mlx(temperature=0.0), quality("3")]
    )
    rows = warehouse(results).rows("select build_id, configuration_id from stg_outputs order by run_id")
    assert rows[0]["build_id"] == rows[1]["build_id"] != rows[2]["build_id"]
    assert len({row["configuration_id"] for row in rows}) == 3


def test_the_same_two_texts_of_several_runs_are_judged_once(results: Results) -> None:
    written(results, [mlx(), ONE], [mlx(), ONE], [gguf(), TWO], [gguf(), quality("three")])
    found = pairs(results)
    assert len(found) == 2
    assert len(warehouse(results).rows("from output_pairs")) == 4
    (judged,) = [row for row in found if TWO["output_text"] in texts_of(results, row)]
    run = "b_run_id" if judged["b_run_id"] in ("000000000000", "000000000001") else "a_run_id"
    file_of(results, judged | {run: "000000000001"})  # the other run that holds the same text
    assert sorted(row["voters"] for row in pairs(results)) == [[], [ME]]


def texts_of(results: Results, pair: Row) -> list[str]:
    asked = "select output_text from raw_operations where run_id = $run and op_index = $place"
    found = warehouse(results)
    return [
        found.rows(asked, run=pair[f"{side}_run_id"], place=pair[f"{side}_op_index"])[0]["output_text"] for side in "ab"
    ]


M, Q = "minimax-m2.1", "qwen3-coder-next"
IMPORTANCE = [
    ((M, "mlx", "4bit"), (M, "mlx", "8bit"), 1),
    ((M, "mlx", "4bit"), (M, "llama.cpp", "Q4_K_M"), 1),
    ((M, "mlx", "4bit"), (M, "mlx", "4bit"), 1),
    ((M, "mlx", "4bit"), (M, "llama.cpp", "Q8_0"), 2),
    ((M, "mlx", "unknown"), (M, "llama.cpp", "unknown"), 2),
    ((M, "mlx", "4bit"), (Q, "mlx", "4bit"), 3),
    ((M, "mlx", "4bit"), (Q, "llama.cpp", "Q4_0"), 3),
    ((M, "mlx", "4bit"), (Q, "mlx", "8bit"), 4),
    ((M, "mlx", "unknown"), (Q, "mlx", "unknown"), 4),
]


@pytest.mark.parametrize(("a", "b", "expected"), IMPORTANCE)
def test_one_models_builds_are_more_important_than_two_models(
    views: Planted, a: tuple[str, ...], b: tuple[str, ...], expected: int
) -> None:
    names = ("model", "runtime", "quantization")
    alike = {"op": "quality", "machine": "m", "prompt_sha256": "p", "nonce": "1"}
    sides = [
        {**alike, **dict(zip(names, side, strict=True)), "build_id": build, "has_answer": True, "answer_sha256": build}
        for build, side in (("x", a), ("y", b))
    ]
    views.put("stg_outputs", *sides)
    assert [row["importance"] for row in views.rows("from output_pairs")] == [expected]


def test_what_is_needed_most_comes_first(results: Results) -> None:
    """Pairs below ten votes, then importance, then few votes, then prompts with few."""
    builds = [mlx(), mlx("8bit"), gguf(), gguf("Q8_0"), mlx("4bit", Q)]
    written(results, *([build, *answers(f"{number}", "pq", 3)] for number, build in enumerate(builds)))

    def of(row: Row) -> tuple[str, str]:
        return row["a_id"], row["b_id"]

    found = pairs(results)
    assert [row["place"] for row in found] == list(range(1, 61))
    assert sorted({of(row): row["importance"] for row in found}.values()) == [1, 1, 1, 1, 2, 2, 3, 3, 4, 4]
    assert [row["importance"] for row in found] == sorted(row["importance"] for row in found)
    first = found[0]
    file_of(results, first)
    after = pairs(results)
    assert of(after[0]) != of(first)  # another one of that importance has fewer now
    again = [row for row in after if of(row) == of(first)]
    assert again[0]["importance"] == 1
    assert {row["vote_count"] for row in again} == {1}
    assert [row["prompt_vote_count"] for row in again] == [0, 0, 0, 1, 1, 1]  # the other prompt's turn
    for number in range(9):
        file_of(results, again[number % 5], voter=f"{number:012x}")
    after = pairs(results)
    assert [of(row) for row in after[-6:]] == [of(first)] * 6
    assert {row["vote_count"] for row in after[-6:]} == {10}


# ---------------------------------------------------------------- which votes count


def counted(results: Results) -> list[Row]:
    return warehouse(results).rows("from counted_votes order by vote_id")


def test_a_vote_counts_whichever_side_its_file_calls_a(results: Results) -> None:
    two_builds(results)
    [pair] = pairs(results)
    turned = {
        **pair,
        **{f"a_{name}": pair[f"b_{name}"] for name in ("run_id", "op_index", "sha256")},
        **{f"b_{name}": pair[f"a_{name}"] for name in ("run_id", "op_index", "sha256")},
    }
    for number, choice in enumerate(CHOICES):
        file_of(results, pair, choice, voter=f"{number:012x}")
        file_of(results, turned, choice, voter=f"{number + 8:012x}")
    found = counted(results)
    assert [row["choice"] for row in found[::2]] == ["a", "b", "tie", "both bad"]
    assert [row["choice"] for row in found[1::2]] == ["b", "a", "tie", "both bad"]
    assert [row["a_score"] for row in found] == [1, 0, 0, 1, 0.5, 0.5, 0.5, 0.5]
    assert {(row["a_id"], row["shown_first"]) for row in found} == {(pair["a_id"], "a"), (pair["a_id"], "b")}


FORGED: dict[str, Row] = {
    "another text of a": {"a_sha256": "0" * 64},
    "another text of b": {"b_sha256": "0" * 64},
    "no hash": {"a_sha256": None},
    "a run that is not there": {"a_run_id": "f" * 12},
    "another place": {"b_op_index": 7},
    "another prompt": {"prompt_sha256": "0" * 64},
    "another nonce": {"nonce": "1"},
    "no choice": {"choice": "c"},
    "nothing chosen": {"choice": None},
    "a name": {"voter": "Ada Lovelace"},
    "nobody": {"voter": None},
}


@pytest.mark.parametrize("forged", FORGED.values(), ids=FORGED)
def test_a_forged_vote_does_not_count(results: Results, forged: Row) -> None:
    two_builds(results)
    [pair] = pairs(results)
    file_of(results, pair, **forged)
    assert counted(results) == []
    assert warehouse(results).rows("from preference") == []
    assert warehouse(results).rows("from preference_strength") == []


def test_an_output_against_itself_is_no_vote(results: Results) -> None:
    two_builds(results)
    [pair] = pairs(results)
    file_of(results, {**pair, **{f"b_{name}": pair[f"a_{name}"] for name in ("run_id", "op_index", "sha256")}})
    assert counted(results) == []


def test_a_file_that_is_no_vote_file_is_named(results: Results) -> None:
    two_builds(results)
    results.votes.mkdir()
    (results.votes / "junk.parquet").write_bytes(b"PAR1 no")
    assert counted(results) == []
    assert [row["file"] for row in warehouse(results).rows("from raw_damaged_judgments")] == ["junk.parquet"]


def test_a_vote_on_a_text_that_has_changed_does_not_count(results: Results) -> None:
    two_builds(results)
    [pair] = pairs(results)
    file_of(results, pair)
    assert len(counted(results)) == 1
    for path in results.runs.glob("*"):
        path.unlink()
    written(results, [mlx(), quality("edited", "p")], [gguf(), *answers("two")])
    assert counted(results) == []
    assert [row["voters"] for row in pairs(results)] == [[]]


def test_a_voter_judges_two_texts_once_and_the_blind_vote_counts(results: Results) -> None:
    two_builds(results)
    [pair] = pairs(results)
    noon = datetime(2026, 11, 22, 12)
    file_of(results, pair, "b", voted_at=noon + timedelta(minutes=1))
    first = file_of(results, pair, "a", voted_at=noon)
    (results.votes / "a copy.parquet").write_bytes(first.read_bytes())
    file_of(results, pair, "tie", voter=OTHER, voted_at=noon + timedelta(minutes=2))
    assert sorted((row["voter"], row["choice"]) for row in counted(results)) == [(ME, "a"), (OTHER, "tie")]
    assert [row["voters"] for row in pairs(results)] == [sorted([ME, OTHER])]


# ---------------------------------------------------------------- preference


def votes_on(views: Planted, *votes: tuple[str, int], voters: int = 1, prompts: int = 1, pair: str = "xy") -> list[Row]:
    """Rows of `counted_votes`: so many of each choice, prompts and voters in turn."""
    choices = [choice for choice, count in votes for _ in range(count)]
    score = {"a": 1.0, "b": 0.0}
    rows = [
        {
            "vote_id": f"{pair}{number}",
            "voter": f"v{number % voters}",
            "a_id": pair[0],
            "b_id": pair[1],
            "a_label": f"build {pair[0]}",
            "b_label": f"build {pair[1]}",
            "machine": "m",
            "prompt_sha256": f"p{number // voters % prompts}",
            "choice": choice,
            "a_score": score.get(choice, 0.5),
        }
        for number, choice in enumerate(choices)
    ]
    views.put("counted_votes", *rows)
    return rows


# Measurement, §5.2: of so many votes at least so many for one of them.
@pytest.mark.parametrize(("count", "needed"), [(6, 6), (10, 9), (20, 15), (30, 21), (50, 33)])
def test_the_sign_test_needs_the_known_numbers_of_votes(views: Planted, count: int, needed: int) -> None:
    for won in (needed, needed - 1):
        votes_on(views, ("a", won), ("b", count - won))
        (row,) = views.rows("from preference")
        assert row["sign_p"] == pytest.approx(stats.binomtest(won, count).pvalue, rel=1e-9)
        assert (row["sign_p"] < 0.05) == (won == needed)
        expected = "not enough votes" if count < 10 else "a preferred" if won == needed else "inconclusive"
        assert row["verdict"] == expected


@pytest.mark.parametrize("won", range(13))
def test_sign_test_and_interval_are_scipys_with_ties_left_out(views: Planted, won: int) -> None:
    votes_on(views, ("a", won), ("b", 12 - won), ("tie", 3), ("both bad", 2), voters=2, prompts=3)
    (row,) = views.rows("from preference")
    test = stats.binomtest(won, 12)
    interval = test.proportion_ci(method="wilson")
    assert row["sign_p"] == pytest.approx(test.pvalue)
    assert [row[f"win_share{end}"] for end in ("", "_low", "_high")] == pytest.approx([won / 12, *interval])
    counts = [row[name] for name in ("vote_count", "a_wins", "b_wins", "tie_count", "both_bad_count")]
    assert counts == [17, won, 12 - won, 3, 2]
    assert (row["prompt_count"], row["voter_count"]) == (3, 2)
    expected = "inconclusive" if test.pvalue >= 0.05 else "a preferred" if won > 6 else "b preferred"
    assert row["verdict"] == expected


def test_below_ten_votes_there_is_no_verdict_and_ties_are_votes(views: Planted) -> None:
    votes_on(views, ("b", 9))
    (row,) = views.rows("from preference")
    assert (row["verdict"], row["reason"].partition(";")[0]) == ("not enough votes", "9 of 10 votes")
    votes_on(views, ("b", 9), ("tie", 1))
    (row,) = views.rows("from preference")
    assert row["verdict"] == "b preferred"
    assert row["reason"] == "all votes are on one prompt; all votes are of one person"


def test_where_nobody_preferred_one_there_is_no_share(views: Planted) -> None:
    votes_on(views, ("tie", 4), ("both bad", 8), voters=2, prompts=2)
    (row,) = views.rows("from preference")
    assert [row[name] for name in ("sign_p", "win_share", "win_share_low", "win_share_high")] == [None] * 4
    assert row["verdict"] == "inconclusive"
    assert row["reason"] == "nobody preferred one of them; most votes say that both are bad"


def test_no_votes_are_no_rows(results: Results) -> None:
    two_builds(results)
    empty = warehouse(results)
    for view in ("counted_votes", "preference", "preference_strength"):
        assert empty.rows(f"from {view}") == []


# ---------------------------------------------------------------- strengths


def test_strengths_have_verdicts_against_the_mean(views: Planted) -> None:
    """y beats z in 30 of 36 votes; x is tied with w in 9."""
    rows = votes_on(views, ("a", 30), ("b", 6), voters=2, prompts=6, pair="yz")
    rows += votes_on(views, ("tie", 9), prompts=9, pair="wx")
    views.put("counted_votes", *rows)
    found = {row["build_id"]: row for row in views.rows("from preference_strength")}
    assert list(found) == ["w", "x", "y", "z"]
    verdicts = {build: row["verdict"] for build, row in found.items()}
    assert verdicts == {"w": "not enough votes", "x": "not enough votes", "y": "above the mean", "z": "below the mean"}
    assert {row["component_id"] for row in found.values()} == {"w", "y"}
    y = found["y"]
    assert y["win_probability"] == pytest.approx(0.5 * (1 + math.tanh(y["strength"] / 2)))
    assert y["strength"] == pytest.approx(-found["z"]["strength"])
    assert (y["vote_count"], y["prompt_count"], y["voter_count"], y["vote_group_count"]) == (36, 6, 2, 12)
    assert (y["reason"], y["opponent_count"]) == (None, 1)
    assert found["w"]["reason"] == "at most 9 of 10 votes against one other build; all votes are of one person"


def test_one_pair_with_ten_votes_is_enough_for_both_of_its_builds(views: Planted) -> None:
    rows = votes_on(views, ("a", 10), prompts=10, pair="xy") + votes_on(views, ("a", 9), prompts=9, pair="yz")
    views.put("counted_votes", *rows)
    verdicts = {row["build_id"]: row["verdict"] for row in views.rows("from preference_strength")}
    assert verdicts["z"] == "not enough votes"
    assert "not enough votes" not in (verdicts["x"], verdicts["y"])


def test_votes_of_too_few_groups_have_no_interval_and_say_so(views: Planted) -> None:
    votes_on(views, ("a", 20))
    rows = views.rows("from preference_strength")
    assert [(row["strength_low"], row["verdict"]) for row in rows] == [(None, "inconclusive")] * 2
    assert all("no interval" in row["reason"] for row in rows)


def test_strengths_are_fitted_anew_only_when_votes_have_changed(
    results: Results, monkeypatch: pytest.MonkeyPatch
) -> None:
    two_builds(results, "pqrst")
    fits = []
    fit = bradley_terry.strengths
    monkeypatch.setattr(bradley_terry, "strengths", lambda votes: fits.append(len(votes)) or fit(votes, 10))
    for number, pair in enumerate(pairs(results), start=1):
        file_of(results, pair)
        for _ in range(2):
            assert len(warehouse(results).rows("from preference_strength")) == 2
        assert len(fits) == number
    for path in results.votes.glob("*"):
        path.unlink()
    assert warehouse(results).rows("from preference_strength") == []


# ---------------------------------------------------------------- the command

Vote = Callable[..., Result]


@pytest.fixture
def vote(results: Results, monkeypatch: pytest.MonkeyPatch) -> Vote:
    """`collect vote` with these keys, as if typed; A is the side that `first` says."""

    def run(keys: str, *options: str, first: str = "a", columns: int = 80) -> Result:
        monkeypatch.setattr(vote_command, "_is_terminal", lambda: True)
        monkeypatch.setattr(vote_command.secrets, "choice", lambda _: first)
        monkeypatch.setenv("COLUMNS", str(columns))
        return CliRunner().invoke(cli.collect, ["vote", *options], input="".join(f"{key}\n" for key in keys))

    return run


@pytest.mark.parametrize("first", ["a", "b"])
@pytest.mark.parametrize(
    ("key", "choice"), [("a", "first"), ("b", "second"), ("t", "tie"), ("x", "both bad"), ("B", "second")]
)
def test_a_key_is_a_vote_for_what_was_shown_there(
    results: Results, vote: Vote, first: str, key: str, choice: str
) -> None:
    two_builds(results)
    [pair] = pairs(results)
    said = vote(key, first=first)
    assert said.exit_code == 0, said.output
    second = "b" if first == "a" else "a"
    [row] = kept(results)
    assert row["choice"] == {"first": first, "second": second}.get(choice, choice)
    assert row["shown_first"] == first
    assert row["voter"] == votes.voter(results)
    assert {name: row[name] for name in pair if name in row} == {name: pair[name] for name in pair if name in row}
    [path] = results.votes.iterdir()
    assert said.stdout.split() == [str(path)]
    texts = dict(zip("ab", texts_of(results, pair), strict=True))
    assert said.stderr.index(texts[first]) < said.stderr.index(texts[second])
    told = said.stderr[said.stderr.index("A was ") :]
    assert told.index(pair[f"{first}_label"][-9:]) < told.index(pair[f"{second}_label"][-9:])
    [counted_row] = counted(results)
    assert counted_row["choice"] == row["choice"]


def test_nothing_tells_which_is_which_before_the_vote(results: Results, vote: Vote) -> None:
    written(
        results,
        [mlx(), quality("one", reasoning_text="I am the secret thought")],
        [gguf(), quality("two", reasoning_text="so am I")],
    )
    before, told, after = vote("a").stderr.partition("A was ")
    assert told
    for secret in ("mlx", "llama", "4bit", "q4", "minimax", "m2.1", "secret thought", "so am i", "apple"):
        assert secret not in before.lower()
    assert "mlx" in after
    assert "llama.cpp" in after
    [pair] = pairs(results)
    assert pair["a_id"] not in before
    assert pair["a_run_id"] not in before


def test_skipped_outputs_come_no_more_and_quitting_keeps_what_was_voted(results: Results, vote: Vote) -> None:
    two_builds(results, "pqr")
    said = vote("saq")
    assert said.exit_code == 0
    assert [row["prompt_id"] for row in kept(results)] == ["q"]
    assert said.stderr.count("[s]kip") == 3
    again = vote("ss")
    assert (again.exit_code, again.stdout) == (0, "")
    assert "Only those that you skipped are left." in again.stderr
    assert len(kept(results)) == 1


def test_after_the_last_one_there_is_nothing_to_vote(results: Results, vote: Vote) -> None:
    two_builds(results, "pq")
    said = vote("ab")
    assert (said.exit_code, len(said.stdout.split())) == (0, 2)
    assert "That was the last one." in said.stderr
    error = vote("a").exception
    assert isinstance(error, NothingToVote)
    assert error.happened == "You have judged every pair of answers that is stored (2)."
    results.voter.unlink()  # somebody else
    assert vote("q").exit_code == 0


@pytest.mark.parametrize("runs", [[], [[mlx(), ONE]]], ids=["no results", "one build"])
def test_without_two_builds_there_is_nothing_to_vote(results: Results, vote: Vote, runs: list[list[Facts]]) -> None:
    written(results, *runs)
    error = vote("a").exception
    assert isinstance(error, NothingToVote)
    assert "collect --quality" in error.remedy


def test_count_stops(results: Results, vote: Vote) -> None:
    two_builds(results, "pqr")
    said = vote("aaaa", "--count", "2")
    assert (said.exit_code, len(kept(results))) == (0, 2)
    assert "last one" not in said.stderr


def test_where_input_ends_the_votes_are_kept(results: Results, vote: Vote) -> None:
    two_builds(results, "pqr")
    said = vote("t")
    assert (said.exit_code, len(kept(results)), len(said.stdout.split())) == (130, 1, 1)


def test_another_key_is_asked_again(results: Results, vote: Vote) -> None:
    two_builds(results)
    assert vote("zyq").exit_code == 0
    assert not results.votes.exists()


def test_ten_votes_are_enough(results: Results, vote: Vote) -> None:
    two_builds(results, "pqrst", repeats=2)
    said = " ".join(vote("aabtxaabtx").stderr.split())
    assert "This pair has 1 vote: not enough votes." in said
    assert "This pair has 9 votes: not enough votes." in said
    assert "This pair has 10 votes: enough for a verdict." in said


def test_builds_that_differ_in_sampling_alone_are_told_apart(results: Results, vote: Vote) -> None:
    written(results, [mlx(), ONE], [mlx(temperature=0.0), TWO])
    [pair] = pairs(results)
    said = " ".join(vote("a").stderr.split())
    assert f"(build {pair['a_id']}); B was" in said
    assert f"(build {pair['b_id']})." in said


def test_the_prompts_text_is_shown_while_a_suite_has_it(results: Results, vote: Vote) -> None:
    known = next(iter(suite.known().values()))
    written(results, *(
        [build, quality(text, known.id, prompt_sha256=known.sha256)] for build, text in ((mlx(), "1"), (gguf(), "2"))
    ))  # fmt: skip
    said = vote("q").stderr
    assert known.text.split("\n")[0][:20] in said
    assert f"prompt {known.id} ({known.category})" in said


def test_a_prompt_that_no_suite_has_is_named(results: Results, vote: Vote) -> None:
    two_builds(results)
    assert "prompt p (test): its text is in no suite any more" in vote("q").stderr


def test_wide_terminals_show_them_side_by_side(results: Results, vote: Vote) -> None:
    two_builds(results)

    def together(columns: int) -> bool:
        lines = vote("q", columns=columns).stderr.splitlines()
        return any("one on p, 1" in line and "two on p, 1" in line for line in lines)

    assert [together(columns) for columns in (40, 119, 120, 200)] == [False, False, True, True]


def test_a_long_answer_is_cut_and_says_so(results: Results, vote: Vote) -> None:
    lines, wide = "\n".join(f"line {number}" for number in range(2000)), "wide " * 10_000
    written(results, [mlx(), quality(lines)], [gguf(), quality(f"{wide}END")])
    said = " ".join(vote("q").stderr.split())
    assert "line 399" in said
    assert "line 400" not in said
    assert "END" not in said
    assert said.count("… cut here: ") == 2
    assert f"cut here: 30003 of {len(wide) + 3} characters" in said


# ---------------------------------------------------------------- hostile outputs

HOSTILE = (
    "\x1b[2J\x1b[1;1Hgone\x1b]0;title\x07\x1b]8;;http://evil\x1b\\link\x1b]8;;\x1b\\\x1b]52;c;cm0=\x07"
    "\x9b31mred\x9d0;x\x9c\x90q\x08\x08\x7f\r\x0b\x0c\x0e\x00over\rwritten \u202egnirts\u202c \u2066x\u2069 "
    "[red]markup[/red] [link=http://evil]x[/link] :smile: {{ x }}"
)
STEERING = [chr(code) for code in CONTROLS]


@pytest.mark.parametrize("columns", [60, 160])
def test_no_output_steers_the_terminal(results: Results, vote: Vote, columns: int) -> None:
    name = f"qa\x1b[8m\n{HOSTILE}"
    key = f"{HOSTILE}-4bit"
    rows = [quality(f"{HOSTILE} {number}", name, nonce="1", prompt_category=HOSTILE) for number in range(2)]
    written(results, [mlx(model_key=key, quantization=HOSTILE), rows[0]], [gguf(model_key=key), rows[1]])
    said = vote("a", columns=columns)
    assert said.exit_code == 0, said.output
    shown = said.stderr
    assert [repr(sign) for sign in STEERING if sign in shown] == []
    assert "[red]markup[/red]" in shown.replace("\n", " ")
    assert ":smile:" in shown
    assert "␛[2J" in shown
    assert "A was " in shown
    assert [row["choice"] for row in kept(results)] == ["a"]


def test_a_frame_cannot_be_left(results: Results, vote: Vote) -> None:
    """Each line of an answer has the frame before it, so none passes for a question or an answer of ours."""
    forged = "fine\r\nA was X; B was Y. This pair has 99 votes\r[a] / [b]\u2028C was Z\x85D was W"
    written(results, [mlx(), quality(forged)], [gguf(), TWO])
    lines = vote("q").stderr.splitlines()
    assert [line for line in lines if re.match(r"\s*(A was|C was|D was|\[a\] / \[b\](?! / \[t\]))", line)] == []


# ---------------------------------------------------------------- terminals


def test_without_a_terminal_nobody_can_be_asked(results: Results) -> None:
    two_builds(results)
    said = CliRunner().invoke(cli.collect, ["vote"], input="a\n")
    assert isinstance(said.exception, NobodyToAsk)
    assert "terminal" in said.exception.happened
    assert not results.votes.exists()
    assert not results.voter.exists()


def test_the_program_says_so_in_two_sentences(results: Results) -> None:
    command = [sys.executable, "-m", "collector", "vote", "--results", str(results.root)]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.splitlines() == [
        "error: Nobody can be asked: input is no terminal.",
        "       Run `collect vote` in a terminal window.",
    ]


def test_in_a_real_terminal_a_vote_is_typed(results: Results) -> None:
    two_builds(results, "pq")
    master, slave = pty.openpty()
    command = [sys.executable, "-m", "collector", "vote", "--count", "1", "--results", str(results.root)]
    with Child(command, stdin=slave, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as program:
        os.close(slave)
        os.write(master, b"x\n")
        out, err = program.communicate(timeout=60)
        os.close(master)
    assert program.returncode == 0, err
    [row] = kept(results)
    assert row["choice"] == "both bad"
    assert out.strip() == str(next(results.votes.iterdir()))
    assert "This pair has 1 vote: not enough votes." in " ".join(err.split())
