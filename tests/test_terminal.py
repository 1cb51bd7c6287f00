"""What commands print of somebody else's words: no markup, and nothing that steers the terminal."""

from typing import Any

import click
import pytest
from click.testing import CliRunner

from collector import commands
from collector.commands import _summary, context, plan
from collector.errors import CollectorError, RunUnclear
from collector.schema import Results
from site_src import sql
from site_src.visible import CONTROLS
from tests import strange
from tests.payloads import TERMINALS, TOGETHER

MARKUP = "[bold red]x[/bold red]"
HOSTILE = " ".join(TERMINALS)

SPEEDS = ("decode_tps", "decode_tps_min", "decode_tps_max", "ttft_ms", "ttft_ms_min", "ttft_ms_max")
OF_RUN = ("decode_tps_low", "decode_tps_high", "ttft_ms_low", "ttft_ms_high", "peak_memory_gb", "load_s")


def summary() -> None:
    figures: dict[str, Any] = {**dict.fromkeys((*SPEEDS, *OF_RUN)), "decode_count": 1, "request_count": 1}
    figures |= dict.fromkeys(("interval_kind", "decode_tps_within_low", "decode_tps_within_high"))
    texts = dict.fromkeys(("label", "machine", "reason", "peak_memory_kind", "prompt_id"), HOSTILE)
    _summary.show({**figures, **texts, "prompts": [{**figures, **texts}]})


def ladder() -> None:
    rung = {"rung": 1, "prompt_tokens": 1, "ttft_ms": 1.0, "decode_tps": 1.0, "found_count": 1, "needle_count": 1}
    known = dict.fromkeys(("context_advertised", "context_effective", "context_accepted", "context_usable"), 1)
    said = {**known, "context_usable_below": None, "reason": HOSTILE}
    context._show([{**rung, "verdict": HOSTILE, "reason": HOSTILE}], said)


def matrix() -> None:
    texts = dict.fromkeys(("model", "variant", "state", "reason"), HOSTILE)
    plan._show([{**texts, "next_rank": 1, "run_count": 1, "decode_tps": 1.0}], None)


def said() -> None:
    commands.say(HOSTILE)
    commands.complain(RunUnclear(HOSTILE, HOSTILE))


@pytest.mark.parametrize("show", [summary, ladder, matrix, said])
def test_a_command_shows_words_as_words(show: Any, capsys: pytest.CaptureFixture[str]) -> None:
    show()
    out = "".join(capsys.readouterr())
    assert strange.in_terminal(out) == []
    assert MARKUP in " ".join(out.split()) or "[bold" in out  # a narrow cell breaks it


@pytest.mark.parametrize("form", ["table", "json"])
def test_so_does_sql(form: str, results: Results) -> None:
    words = HOSTILE.replace("\0", "")  # which no command line can hold
    out = CliRunner().invoke(sql.main, ["--format", form, f"select '{words}' as text"]).output
    assert strange.in_terminal(out) == []
    assert "[bold" in out


def test_csv_from_sql_is_no_formula(results: Results) -> None:
    query = "from (values ('=1+1', -1), ('plain', 2)) as given(text, number)"
    out = CliRunner().invoke(sql.main, ["--format", "csv", query]).output
    assert out == '"text","number"\n"\'=1+1",-1\n"plain",2\n'


def test_what_a_command_says_steers_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    every = "".join(map(chr, range(0x3000)))
    commands.say(every)
    said = capsys.readouterr().err
    assert {char for char in every if char not in said} == {chr(code) for code in CONTROLS if code < 0x3000}
    commands.complain(CollectorError(TOGETHER, TOGETHER))
    assert strange.in_terminal(click.unstyle(capsys.readouterr().err)) == []
