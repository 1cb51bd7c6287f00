"""The API token is sent to its server, and stands nowhere else, however it comes back."""

import base64
import json
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.parse import quote

import click
import httpx
import pyarrow.parquet as pq
import pytest

from collector import children, measure, privacy, record, said, store
from collector.commands import _start, complain, say
from collector.errors import ServerNotFound, TokenInvalid
from collector.journal import Journal
from collector.privacy import api_token
from collector.recorder import Recorder
from collector.schema import CLONE, Results
from collector.schema import RUN as RUN_COLUMNS
from tests.conftest import RUN, STARTED
from tests.loopback import NoMeter
from tests.test_words import PATHS, Quiet, asked

TOKEN = "Hq3VnB8wKz5TjR2mXc7P"
BEARER = f"Bearer {TOKEN}"


@pytest.fixture(autouse=True)
def given_token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LM_API_TOKEN", TOKEN)


ENCODED = {
    "as it is": TOKEN,
    "lower case": TOKEN.lower(),
    "capitals": TOKEN.upper(),
    "half of it": TOKEN[6:16],
    "eight of it": TOKEN[3:11],
    "its end": f"…{TOKEN[-8:]}",
    "masked": f"{TOKEN[:8]}************{TOKEN[-8:]}",
    "spaced": " ".join(TOKEN),
    "with hyphens": "-".join(TOKEN[at : at + 4] for at in range(0, len(TOKEN), 4)),
    "over lines": "\n".join(TOKEN[at : at + 3] for at in range(0, len(TOKEN), 3)),
    "base64": base64.b64encode(TOKEN.encode()).decode(),
    "base64 of the header": base64.b64encode(BEARER.encode()).decode(),
    "base64 with a user": base64.b64encode(f"api:{TOKEN}".encode()).decode(),
    "base64 for addresses": base64.urlsafe_b64encode(f"??>{TOKEN}".encode()).decode().rstrip("="),
    "hex": TOKEN.encode().hex(),
    "hex in capitals": TOKEN.encode().hex(":").upper(),
    "percent": "".join(f"%{byte:02X}" for byte in TOKEN.encode()),
    "percent twice": quote("".join(f"%{byte:02x}" for byte in TOKEN.encode())),
    "JSON": "".join(f"\\u{ord(sign):04x}" for sign in TOKEN),
    "JSON in JSON": json.dumps("".join(f"\\u{ord(sign):04x}" for sign in TOKEN)),
    "by bytes": "".join(f"\\x{byte:02x}" for byte in TOKEN.encode()),
    "HTML": "".join(f"&#{ord(sign)};" for sign in TOKEN),
    "backwards": TOKEN[::-1],
}


@pytest.mark.parametrize("form", ENCODED)
def test_it_is_found_in_every_form_and_taken_out_of_what_is_said(form: str) -> None:
    text = f"the header was {ENCODED[form]} and is refused"
    assert api_token.holds(text)
    left = api_token.without(text)
    assert not api_token.holds(left)
    assert ENCODED[form] not in left
    assert "refused" in left or left == api_token.WITHHELD


ORDINARY = (
    *("", "Bearer", "out of memory", "The quick brown fox jumps over the lazy dog. " * 400, "0123456789" * 100),
    *(
        TOKEN[:7],
        f"{TOKEN[:4]} and {TOKEN[-4:]}",
        base64.b64encode(b"another token altogether").decode(),
        "%5A%71 &#90;",
    ),
)


@pytest.mark.parametrize("text", ORDINARY)
def test_what_holds_none_of_it_stays(text: str) -> None:
    assert not api_token.holds(text)
    assert api_token.without(text) == text


@pytest.mark.parametrize("text", [TOKEN + "İ", TOKEN + " a" * 600_000])
def test_where_its_place_is_not_found_nothing_of_the_text_is_left(text: str) -> None:
    assert api_token.without(text) == api_token.WITHHELD


@pytest.mark.parametrize("placeholder", ["lm-studio", "none", "EMPTY", "not-needed", "ollama", "sk-no-key-required"])
def test_what_is_no_secret_is_not_looked_for(placeholder: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LM_API_TOKEN", placeholder)
    facts = {"model_key": "lmstudio-community/Tiny", "server_version": "LM Studio 0.4.17", "output_text": placeholder}
    assert privacy.clean(facts) == facts


def test_a_common_beginning_is_not_the_token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LM_API_TOKEN", "github_pat_Hq3VnB8wKz5")
    assert not api_token.holds("a token begins with github_pat_ there")
    assert api_token.holds("github_pat_Hq3V")


# --- files ---


TEXT_COLUMNS = [column.name for column in RUN_COLUMNS if column.type == "VARCHAR" and column.name not in ("run_id",)]


@pytest.mark.parametrize("form", ["as it is", "half of it", "spaced", "base64 of the header", "percent", "hex", "JSON"])
def test_what_holds_it_is_not_stored_and_that_is_said(form: str, results: Results) -> None:
    """Every column of a run and of a request, with the journal and the log as they lie there meanwhile."""
    sent, told = f"you sent {ENCODED[form]}", []
    with Journal(results, "a" * 12) as journal:
        recorder = Recorder(journal, Quiet(), NoMeter(), lambda stage, row: told.append((stage, row)))
        recorder.learn({**dict.fromkeys(TEXT_COLUMNS, sent), "preflight": [{"name": "a", "detail": sent}]})
        recorder.learn({**RUN, "run_id": "a" * 12, "run_started_at": STARTED})
        for way in PATHS:
            recorder.end("request", record.of_exchange(asked(way, "x" * 1984 + sent)))
        row = {"output_text": sent, "reasoning_text": sent, "system_fingerprint": sent, "loaded_instances": ["a", sent]}
        recorder.end("request", {**row, "finish_reason": sent, "answered_model": sent, "error_kind": None})
        recorder.log()
        path = store.write(results, recorder.facts, recorder.operations)
        lying = "".join(one.read_text(encoding="utf-8") for one in results.journals.iterdir())
    rows = pq.read_table(path).to_pylist()
    assert not api_token.holds(str([*rows, path.name]))
    assert not api_token.holds(path.read_bytes().decode("latin-1"))
    assert not api_token.holds(lying)
    assert (results.journals / said.NAME).exists()
    assert not api_token.holds(str([row for _, row in told if "error_detail" in row]))
    echoed = rows[-1]
    assert (echoed["error_kind"], echoed["output_text"], echoed["loaded_instances"]) == (privacy.ECHOED, None, None)
    assert "not stored: output_text, reasoning_text" in echoed["error_detail"]
    assert "as its server_version" in str([row for stage, row in told if stage == "trouble"])


@pytest.mark.parametrize("before", [1980, 1990, 1999, 49_985, 199_990])
def test_it_is_out_before_anything_is_cut(before: int) -> None:
    stored = privacy.scrub("of " * (before // 3) + TOKEN + " of " * 900)
    assert TOKEN[:4] not in stored


def test_an_answer_without_it_stays_whatever_it_is(results: Results) -> None:
    text = "Authorization: Bearer sk-proj-abcdefgh1234, /Users/me, me@example.org"
    row = record.of_exchange(asked("error event", "out of memory"))
    assert privacy.clean({**row, "op": "request", "output_text": text})["output_text"] == text


# --- screens ---


def test_no_message_tells_it(capsys: pytest.CaptureFixture[str]) -> None:
    for form in ENCODED.values():
        say(f"The server said {form}.")
        complain(ServerNotFound(f"It answers {form}.", f"Look at {form}."))
    assert not api_token.holds(capsys.readouterr().err)


def test_a_model_list_that_echoes_it_is_quoted_without_it() -> None:
    from collector.backends import listing

    def answer(request: httpx.Request) -> httpx.Response:
        return httpx.Response(404, text="x" * 190 + request.headers["Authorization"])

    client = measure.connect("http://127.0.0.1:1", TOKEN, transport=httpx.MockTransport(answer))
    with client, pytest.raises(ServerNotFound) as told:
        listing.listed(client)
    assert TOKEN[:4] not in str(told.value)


# --- a token that cannot be sent ---


@pytest.mark.parametrize(
    ("token", "why"),
    [
        ("abc\ndef", "a line break"),
        ("abc\r", "a line break"),
        ("ab12 cd34", "a blank"),
        ("a\tb", "a blank"),
        ("tökén", "not ASCII"),
        ("令牌", "not ASCII"),
        ("a\x7fb", "not ASCII"),
    ],
)
def test_one_that_no_request_can_carry_is_a_mistake(token: str, why: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LM_API_TOKEN", token)
    with pytest.raises(TokenInvalid, match=why) as told:
        _start.connect("http://127.0.0.1:1")
    assert token not in str(told.value)


@pytest.mark.parametrize("token", ["sk-lm-AbCd:0123", "a", "~!@#$%^&*()_+{}|"])
def test_one_that_can_be_sent_is(token: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LM_API_TOKEN", token)
    with click.Context(click.Command("x")), _start.connect("http://127.0.0.1:1") as client:
        assert client.headers["Authorization"] == f"Bearer {token}"


def test_an_empty_one_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LM_API_TOKEN", "")
    assert api_token.token() is None


# --- programs that we start ---


def test_no_program_that_we_start_is_given_it() -> None:
    asked: list[Any] = [sys.executable, "-c", "import os; print(sorted(os.environ))"]
    told = subprocess.run(asked, env=children.environment(), capture_output=True, text=True, check=True).stdout
    assert "LM_API_TOKEN" not in told
    assert "PATH" in told


def test_every_start_of_a_program_says_what_it_is_given() -> None:
    """The sandbox's gives nothing at all."""
    import ast

    silent = []
    for path in [*(CLONE / "collector").rglob("*.py"), *(CLONE / "site_src").rglob("*.py")]:
        if "material" in path.parts:
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func) in STARTS:
                given = {word.arg: ast.unparse(word.value) for word in node.keywords}
                if given.get("env") not in (
                    "children.environment()",
                    "children.environment(**variables)",
                    "environment()",
                    "{}",
                ):
                    silent.append(f"{path.name}: {ast.unparse(node)[:60]}")
    assert silent == []


STARTS = {f"subprocess.{name}" for name in ("run", "Popen", "call", "check_call", "check_output")} | {"os.system"}


def test_no_script_hands_it_to_what_an_index_sends() -> None:
    setup = (CLONE / "scripts" / "setup").read_text(encoding="utf-8")
    assert all("env -u LM_API_TOKEN" in line for line in setup.splitlines() if "pip install" in line)


def test_the_log_is_for_nobody_else(tmp_path: Path) -> None:
    said.keep(tmp_path / said.NAME, "a" * 12, [("request", None, "x")])
    assert (tmp_path / said.NAME).stat().st_mode & 0o077 == 0
