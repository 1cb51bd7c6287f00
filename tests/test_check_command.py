"""`collect check` as typed: every finding as a table on stdout, and exit code 1 where one of them fails."""

import re
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from types import SimpleNamespace
from typing import Any, NamedTuple

import pytest

from collector import cli, environment, preflight
from collector.backends import lms, lmstudio
from collector.environment import Reading
from collector.schema import Results
from tests.lmstudio import Double, DoubleModel, Scripted, steady
from tests.loopback import Loopback
from tests.programs import free_port

GGUF = "unsloth/minimax-m2.1@q4_k_m"
MLX = "mlx-community/MiniMax-M2.1-4bit"
TOKEN = "sk-lm-abcdefgh:01234567890123456789"
BEFORE_LOADING = (
    "free memory",
    "wired limit",
    "native",
    "disk",
    "second model",
    "site server",
    "cpu busy",
    "gpu busy",
    "large applications",
    "memory pressure",
    "thermal pressure",
    "power",
)
OF_LOADED = ("runtime", "variant", "served by", "context", "parallel")


class Said(NamedTuple):
    """What `collect check` printed, and how it ended."""

    code: int
    out: str
    err: str

    @property
    def table(self) -> dict[str, tuple[str, str]]:
        """Check → verdict and what was seen."""
        found: dict[str, tuple[str, str]] = {}
        name = ""
        for line in self.out.splitlines():
            cells = [cell.strip() for cell in re.split("[│┃]", line)[1:-1]]
            if len(cells) == 3 and cells[0] != "check":
                name = cells[0] or name  # a long cell goes on in the next line
                verdict, seen = found.get(name, ("", ""))
                found[name] = (verdict or cells[1], f"{seen} {cells[2]}".strip())
        return found

    def verdicts(self, verdict: str) -> list[str]:
        """The checks with that verdict."""
        return [name for name, (found, _) in self.table.items() if found == verdict]


Check = Callable[..., Said]
Given = Callable[..., Double]


@pytest.fixture
def check(results: Results, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Check:
    """`check("--url", …)` on a machine at rest that has 400 GB free."""
    monkeypatch.delenv("LM_API_TOKEN", raising=False)
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setattr(lms, "find", lambda: None)
    monkeypatch.setattr(lmstudio, "STATUS_PORTS", ())
    readings = {
        "gpu_busy_percent": Reading(0.0),
        "memory_pressure": Reading("normal"),
        "thermal_pressure": Reading("nominal"),
        "power_source": Reading("ac"),
        "power_mode": Reading("normal"),
    }
    for name, reading in readings.items():
        monkeypatch.setattr(environment, name, lambda reading=reading: reading)
    monkeypatch.setattr(environment, "cpu_busy_percent", lambda seconds=0.5: Reading(3.0))
    memory = SimpleNamespace(total=512 * 2**30, available=400 * 10**9)
    monkeypatch.setattr(preflight.psutil, "virtual_memory", lambda: memory)
    monkeypatch.setattr(preflight.psutil, "disk_usage", lambda path: SimpleNamespace(free=500 * 10**9))
    monkeypatch.setattr(preflight.processes, "every", list)

    def call(*arguments: str) -> Said:
        monkeypatch.setattr(sys, "argv", ["collect", "check", *arguments])
        code: object = 0
        try:
            cli.main()
        except SystemExit as ended:
            code = ended.code
        assert isinstance(code, int)
        return Said(code, *capsys.readouterr())

    return call


@pytest.fixture
def given() -> Iterator[Given]:
    """`given(models…, loaded=[keys])`: a running double."""
    with ExitStack() as stack:

        def make(*models: DoubleModel, loaded: tuple[str, ...] = (), **options: Any) -> Double:
            catalog = models or (
                DoubleModel(GGUF, size_bytes=138 * 10**9),
                DoubleModel(MLX, format="mlx", size_bytes=128_600_000_000),
            )
            double = stack.enter_context(Double(catalog, tokens=Scripted(steady(2, ms=0, first_ms=0)), **options))
            for key in loaded:
                double.load(key, context_length=131_072, parallel=1)
            return double

        yield make


def test_fit_is_exit_code_0_with_every_finding_in_the_table(check: Check, given: Given, results: Results) -> None:
    double = given(loaded=(GGUF,))
    said = check("--url", double.url)
    assert (said.code, said.err) == (0, "")
    assert tuple(said.table) == BEFORE_LOADING + OF_LOADED
    of_macos = {"wired limit", "native"}
    assert set(said.verdicts("PASS")) >= {*BEFORE_LOADING, *OF_LOADED} - of_macos
    assert "llama.cpp: the model list's format and the runtime block of /api/v0 agree" in said.table["runtime"][1]
    assert not results.root.exists()  # it measures nothing and stores nothing
    assert {seen.path for seen in double.requests if seen.method == "POST"} == {"/api/v0/chat/completions"}


def test_a_warning_is_no_failure(check: Check, given: Given) -> None:
    double = given()
    double.load(MLX, context_length=8192)
    said = check("--url", double.url)
    assert said.code == 0
    assert said.verdicts("WARN") == ["context"]
    assert said.table["parallel"] == ("UNKNOWN", "the server does not tell its slots")


def test_a_second_model_fails(check: Check, given: Given) -> None:
    double = given(loaded=(GGUF, MLX))
    said = check("--url", double.url, "--model", GGUF)
    assert (said.code, said.verdicts("FAIL")) == (1, ["second model"])
    assert said.table["second model"][1] == f"loaded beside it: {MLX}; unload all but one"
    unclear = check("--url", double.url)
    assert (unclear.code, unclear.out) == (1, "")
    assert GGUF in unclear.err
    assert MLX in unclear.err


def test_a_contradicted_runtime_fails(check: Check, given: Given) -> None:
    double = given(DoubleModel(MLX, format="mlx", runtime_of="gguf"), loaded=(MLX,))
    said = check("--url", double.url)
    assert (said.code, said.verdicts("FAIL")) == (1, ["runtime"])
    assert "contradicted" in said.table["runtime"][1]


def test_nothing_listening_is_one_sentence_and_a_remedy(check: Check) -> None:
    for more in ((), ("--load", GGUF)):
        said = check("--url", f"http://127.0.0.1:{free_port()}", *more)
        assert (said.code, said.out) == (1, "")
        assert "Nothing answered at http://127.0.0.1:" in said.err
        assert "lms server start" in said.err
        assert "Traceback" not in said.err


def test_nothing_loaded_is_said(check: Check, given: Given) -> None:
    said = check("--url", given().url)
    assert (said.code, said.out) == (1, "")
    assert "no model loaded" in said.err


def test_a_missing_token_names_its_variable(check: Check, given: Given, monkeypatch: pytest.MonkeyPatch) -> None:
    double = given(loaded=(GGUF,), token=TOKEN)
    said = check("--url", double.url)
    assert (said.code, said.out) == (1, "")
    assert "LM_API_TOKEN" in said.err
    monkeypatch.setenv("LM_API_TOKEN", TOKEN)
    said = check("--url", double.url)
    assert (said.code, TOKEN in said.out) == (0, False)


def test_whether_a_model_would_fit_is_told_without_loading_it(
    check: Check, given: Given, monkeypatch: pytest.MonkeyPatch
) -> None:
    double = given(loaded=(GGUF,))
    said = check("--url", double.url, "--load", MLX)
    assert (said.code, tuple(said.table)) == (0, BEFORE_LOADING)
    assert said.table["free memory"][1] == "400.0 GB free, 168.5 GB needed at a context of 131,072"
    memory = SimpleNamespace(total=512 * 2**30, available=150 * 10**9)
    monkeypatch.setattr(preflight.psutil, "virtual_memory", lambda: memory)
    said = check("--url", double.url, "--load", MLX)
    assert (said.code, said.verdicts("FAIL")) == (1, ["free memory"])
    assert check("--url", double.url, "--load", MLX, "--context-length", "8192").code == 0
    assert [instance.id for instance in double.state.instances] == [GGUF]
    assert {seen.method for seen in double.requests} == {"GET"}


def test_a_size_that_an_older_version_does_not_tell_is_unknown(check: Check, given: Given) -> None:
    said = check("--url", given(version="0.3.20").url, "--load", MLX)
    assert (said.code, said.table["free memory"][0]) == (0, "UNKNOWN")


def test_a_model_that_is_not_there_is_named_with_those_that_are(check: Check, given: Given) -> None:
    said = check("--url", given().url, "--load", "no/such")
    assert (said.code, said.out) == (1, "")
    for name in ("no/such", GGUF, MLX):
        assert name in said.err


def test_another_server_is_checked_too_and_loads_nothing(check: Check) -> None:
    with Loopback() as server:
        said = check("--url", server.url)
        assert (said.code, tuple(said.table)) == (0, BEFORE_LOADING + OF_LOADED)
        assert said.verdicts("WARN") == ["runtime"]
        assert said.verdicts("UNKNOWN")[-2:] == ["context", "parallel"]
        said = check("--url", server.url, "--load", MLX)
    assert (said.code, said.out) == (1, "")
    assert "Only LM Studio loads models on request" in said.err
