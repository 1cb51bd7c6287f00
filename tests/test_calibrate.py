"""The client measured by itself: exact rates on a fake clock, the known server, and what is kept for later runs."""

import json
import math
import sys
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import click
import pyarrow.parquet as pq
import pytest

from collector import __version__, calibrate, cli, environment, known_server, measure, record, store
from collector import run as runs
from collector.backends import Facts, Request
from collector.backends.openai_chat import OpenAIChat
from collector.calibrate import Cell
from collector.commands import run as run_command
from collector.schema import RUN as RUN_COLUMNS
from collector.schema import Results
from site_src.warehouse import Warehouse
from tests.conftest import DONE, RUN, STARTED, FakeClock, ScriptedServer, delta, usage
from tests.loopback import Loopback, NoSampler

PREFILL_MS = 499.0  # and 1 ms for the headers
CLIENT = [column.name for column in RUN_COLUMNS if column.name.startswith("client_")]


def streamed(server: ScriptedServer, tokens: int, per_chunk: int, rate: float) -> Facts:
    """The row of a stream in which token i is ready at the prefill's end + i / rate, sent in chunks of so many."""
    ready = [PREFILL_MS + 1000 * token / rate for token in range(tokens)]
    ends = [min(end, tokens) for end in range(per_chunk, tokens + per_chunk, per_chunk)]
    steps, before, sent = [], 0.0, 0
    for end in ends:
        steps.append((ready[end - 1] - before, delta(content="word " * (end - sent))))
        before, sent = ready[end - 1], end
    row = record.of_exchange(server.answer(*steps, (0.2, delta("stop")), (0, usage(8, tokens)), (0, DONE)))
    return {**row, "op": "request", "prompt_id": f"{tokens}/{per_chunk}/{rate}", "prompt_sha256": "p", "repeat": 1}


def speeds(results: Results, rows: list[Facts]) -> list[tuple[float | None, str | None]]:
    """What the view says of these requests, in their order."""
    store.write(results, {**RUN, "run_id": "0" * 12, "run_started_at": STARTED}, _numbered(rows))
    told = Warehouse(results).rows("select decode_tps, decode_reason from request_speed order by op_index")
    return [(row["decode_tps"], row["decode_reason"]) for row in told]


def _numbered(rows: list[Facts]) -> list[Facts]:
    return [{**row, "op_index": index} for index, row in enumerate(rows)]


# --- which formula finds the true rate: measurement.md §3.1 ---

# n, k → (n-1)/d, n/(end-first), n/(end-t0), chunks-1, recommended
TABLE = {
    (100, 1): (49.99, 50.49, 40.26, 49.99, 49.99),
    (500, 1): (50.00, 50.10, 47.69, 50.00, 50.00),
    (100, 4): (51.55, 52.07, 40.24, 12.50, 49.99),
    (100, 8): (53.80, 54.34, 40.27, 6.52, 50.00),
    (20, 4): (59.38, 62.49, 22.68, 12.50, 50.00),
    (6, 4): (124.9, 149.6, 9.97, 25.0, 50.0),
}


def formulas(row: Facts, tokens: int) -> tuple[float, ...]:
    """Decode speed as others compute it, and as recommended."""
    first, last, done = (row[name] / 1e9 for name in ("first_text_ns", "last_text_ns", "done_ns"))
    chars = [chunk["chars"] for chunk in row["chunks"] if chunk["chars"]]
    in_first = 1 if len(chars) >= 0.9 * tokens else tokens * chars[0] / sum(chars)
    return (
        (tokens - 1) / (last - first),
        tokens / (done - first),
        tokens / done,
        (len(chars) - 1) / (last - first),
        (tokens - in_first) / (last - first),
    )


@pytest.mark.parametrize(("tokens", "per_chunk"), TABLE)
def test_each_formula_in_use_finds_what_the_table_of_the_method_says(
    server: ScriptedServer, tokens: int, per_chunk: int
) -> None:
    found = formulas(streamed(server, tokens, per_chunk, 50), tokens)
    assert found == pytest.approx(TABLE[tokens, per_chunk], rel=0.005)
    assert found[-1] == pytest.approx(50, rel=1e-6)


def test_the_view_finds_every_rate_within_0_2_percent_however_many_tokens_share_a_chunk(
    server: ScriptedServer, results: Results
) -> None:
    assert (calibrate.RATES, calibrate.PER_CHUNK) == ((50.0, 500.0, 2000.0), (1, 4, 8))
    asked = [
        *((tokens, per_chunk, 50.0) for tokens, per_chunk in TABLE),
        *((calibrate.TOKENS, per_chunk, rate) for rate in calibrate.RATES for per_chunk in calibrate.PER_CHUNK),
        *((tokens, 8, 500.0) for tokens in (65, 71, 100)),  # a last chunk that is not full
    ]
    told = speeds(results, [streamed(server, *stream) for stream in asked])
    for (tokens, per_chunk, rate), (speed, reason) in zip(asked, told, strict=True):
        if tokens < 32:
            assert (speed, reason) == (None, "fewer than 32 tokens were generated")
        else:
            assert (speed, reason) == (pytest.approx(rate, rel=0.002), None), (tokens, per_chunk, rate)


# --- the known server ---


def stream(client: Any, rate: float, per_chunk: int, tokens: int) -> measure.Exchange:
    body = {"known": {"rate": rate, "per_chunk": per_chunk, "tokens": tokens}}
    return measure.exchange(client, Request("/v1/chat/completions", body), OpenAIChat(client, "known").parse)


def test_the_known_server_sends_what_was_asked_and_says_when() -> None:
    """In real time: nothing here is about how long it took."""
    with calibrate.known_server() as url, measure.connect(url) as client:
        for per_chunk, tokens in ((1, 24), (8, 80)):
            seen = stream(client, 2000, per_chunk, tokens)
            texts = [text for _, _, text in seen.arrivals if text]
            sent = json.loads(str(seen.facts["system_fingerprint"]))
            assert (seen.error_kind, seen.facts["completion_tokens"]) == (None, tokens)
            assert texts == ["word " * per_chunk] * (tokens // per_chunk)
            assert len(sent) == len(texts)
            assert sent == sorted(sent)
            # one clock for both processes: nothing arrives before it was sent
            stamped = [seen.sent_at + arrived for arrived, _, text in seen.arrivals if text]
            assert all(left <= at for left, at in zip(sent, stamped, strict=True))
        cell = calibrate._stream(OpenAIChat(client, "known"), 2000.0, 4, 80)
    assert (cell.rate, cell.per_chunk, cell.tokens) == (2000.0, 4, 80)
    for figure in (cell.bias_percent, cell.delay_us, cell.jitter_us, cell.cpu_us_per_token):
        assert math.isfinite(figure)


def test_every_rate_is_streamed_with_each_number_of_tokens_a_chunk(monkeypatch: pytest.MonkeyPatch) -> None:
    streams: list[tuple[float, int, int]] = []

    def note(backend: OpenAIChat, rate: float, per_chunk: int, tokens: int) -> Cell:
        streams.append((rate, per_chunk, tokens))
        return cell()

    monkeypatch.setattr(calibrate, "_stream", note)
    assert len(calibrate.calibrate()) == 9
    first, *rest = streams
    assert first[2] == calibrate.TOKENS  # pays for imports and connecting, and is no cell
    assert [(rate, per_chunk) for rate, per_chunk, _ in rest] == [
        (rate, per_chunk) for rate in calibrate.RATES for per_chunk in calibrate.PER_CHUNK
    ]
    for _, per_chunk, tokens in rest:
        assert tokens >= calibrate.TOKENS
        assert tokens % per_chunk == 0
        assert tokens // per_chunk >= 8  # or the views would give no speed


def test_the_known_server_sleeps_most_of_a_wait_and_watches_the_clock_for_the_rest(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock = FakeClock()
    slept: list[float] = []

    def look() -> int:
        clock.now += 1000  # a look takes 1 µs
        return clock.now

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        clock.pass_ms(1000 * seconds + 0.1)  # as late as a system's timer is

    monkeypatch.setattr(known_server, "clock", look)
    monkeypatch.setattr(known_server, "sleep", sleep)
    deadline = clock.now + 20_000_000
    known_server.wait_until(deadline)
    assert deadline <= clock.now <= deadline + 2000
    assert sum(slept) == pytest.approx(0.018, abs=1e-4)
    known_server.wait_until(clock.now - 1)  # a moment that has passed
    assert len(slept) == 1


# --- what is kept ---


def cell(**figures: float) -> Cell:
    told = {"bias_percent": 0.0, "delay_us": 0.0, "jitter_us": 0.0, "cpu_us_per_token": 0.0, **figures}
    return Cell(50.0, 1, 80, **told)


CELLS = [
    cell(bias_percent=0.01, delay_us=100.0, jitter_us=30.0, cpu_us_per_token=90.0),
    cell(bias_percent=-0.03, delay_us=80.0, jitter_us=10.0, cpu_us_per_token=50.0),
    cell(bias_percent=0.02, delay_us=900.0, jitter_us=20.0, cpu_us_per_token=60.0),
]
MEDIANS = {
    "client_bias_percent": 0.01,
    "client_jitter_us": 20.0,
    "client_event_delay_us": 100.0,
    "client_cpu_us_per_token": 60.0,
}


def test_medians_are_kept_and_read_back_as_run_columns(results: Results) -> None:
    before = measure.utc_now()
    kept = calibrate.keep(results, CELLS)
    assert {name: value for name, value in kept.items() if name != "client_calibrated_at"} == MEDIANS
    read = calibrate.last(results)
    at = read.pop("client_calibrated_at")
    assert before - timedelta(seconds=1) <= at <= measure.utc_now()
    assert at.tzinfo is None
    assert read == MEDIANS
    assert sorted([*read, "client_calibrated_at"]) == sorted(CLIENT)


def test_a_later_calibration_replaces_an_earlier_one(results: Results) -> None:
    calibrate.keep(results, CELLS)
    calibrate.keep(results, [cell(bias_percent=5.0)])
    assert calibrate.last(results)["client_bias_percent"] == 5.0


def test_nothing_kept_is_no_column(results: Results) -> None:
    assert calibrate.last(results) == {}
    assert not results.root.exists()


def test_what_another_version_measured_is_not_taken(results: Results) -> None:
    calibrate.keep(results, CELLS)
    kept = json.loads(results.calibration.read_text())
    assert kept["collector_version"] == __version__
    for version in ("0.0.0", None, [__version__]):
        results.calibration.write_text(json.dumps({**kept, "collector_version": version}))
        assert calibrate.last(results) == {}


GOOD = {"collector_version": __version__, "client_calibrated_at": "2026-11-22T12:00:00", **MEDIANS}


@pytest.mark.parametrize(
    "content",
    [
        b"",
        json.dumps(GOOD).encode()[:-9],
        b"\xff\xfe\x00",
        b"null",
        b"7",
        b'"text"',
        b"[]",
        b"[1]",
        b"{}",
        json.dumps({**GOOD, "client_calibrated_at": "yesterday"}).encode(),
        json.dumps({**GOOD, "client_calibrated_at": 5}).encode(),
        json.dumps({"collector_version": __version__}).encode(),
    ],
)
def test_a_damaged_file_is_no_calibration(results: Results, content: bytes) -> None:
    results.calibration.parent.mkdir(parents=True)
    results.calibration.write_bytes(content)
    assert calibrate.last(results) == {}


def test_a_folder_in_the_files_place_is_no_calibration(results: Results) -> None:
    results.calibration.mkdir(parents=True)
    assert calibrate.last(results) == {}


def test_nothing_but_the_clients_figures_becomes_a_run_column(results: Results) -> None:
    results.calibration.parent.mkdir(parents=True)
    results.calibration.write_text(json.dumps({**GOOD, "chip": "Other", "run_id": "x"}))
    assert sorted(calibrate.last(results)) == sorted(CLIENT)


# --- as typed ---


@pytest.fixture
def collect(
    results: Results, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., tuple[object, str, str]]:
    """`collect("--url", …)`: exit code, stdout and stderr."""
    monkeypatch.delenv("LM_API_TOKEN", raising=False)
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setattr(run_command, "report", lambda outcome, folder, as_json: click.echo(outcome.path))
    monkeypatch.setattr(runs, "Sampler", NoSampler)
    monkeypatch.setattr(OpenAIChat, "engine_pid", lambda self: None)
    monkeypatch.setattr(environment, "cpu_busy_percent", lambda seconds=0.5: environment.Reading(1.0))

    def call(*arguments: str) -> tuple[object, str, str]:
        monkeypatch.setattr(sys, "argv", ["collect", *arguments])
        code: object = 0
        try:
            cli.main()
        except SystemExit as ended:
            code = ended.code
        return code, *capsys.readouterr()

    return call


def test_check_calibrate_shows_each_cell_and_keeps_the_medians(
    collect: Callable[..., tuple[object, str, str]], results: Results, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(calibrate, "calibrate", lambda: CELLS)
    code, out, err = collect("check", "--calibrate")
    assert code == 0
    assert {name: value for name, value in json.loads(out).items() if name in MEDIANS} == MEDIANS
    assert [line for line in err.splitlines() if "900" in line and "0.02" in line]
    assert calibrate.last(results).keys() == set(CLIENT)


def test_a_run_stores_what_was_kept_and_an_uncalibrated_one_nothing(
    collect: Callable[..., tuple[object, str, str]], results: Results
) -> None:
    with Loopback() as server:
        for _ in range(2):
            code, out, err = collect("--url", server.url, "--suite", "smoke", "--repeats", "1")
            assert code == 0, err
            [columns] = {tuple(row[name] for name in CLIENT) for row in pq.read_table(out.strip()).to_pylist()}
            known = calibrate.last(results)
            assert columns == tuple(known.get(name) for name in CLIENT)
            calibrate.keep(results, CELLS)
    assert any(columns)
