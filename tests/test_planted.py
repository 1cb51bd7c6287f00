"""A planted person: their names, home, token and serial number are everywhere around a run, and nowhere in what is
published of it."""

import getpass
import io
import json
import plistlib
import re
import socket
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple

import pyarrow.parquet as pq
import pytest

from collector import cli, environment, machine, preflight, probe, said
from collector import run as runs
from collector.backends import lms, lmstudio
from collector.backends.openai_chat import OpenAIChat
from collector.commands import run as run_command
from collector.probe import memory, processes, system, timing
from collector.schema import Results
from site_src import build, report
from site_src.reuse.maker import Maker
from site_src.warehouse import Warehouse
from tests.conftest import DONE, delta, sse, usage
from tests.lmstudio import Double, DoubleModel, Scripted, steady
from tests.loopback import Answer, Loopback, NoSampler, stream, whole
from tests.test_context import reading

LOGIN = "plantedperson"
HOST = "planted-studio"
HOME = f"/Users/{LOGIN}"
SERIAL = "C02PLANTED0X"
TOKEN = "sk-lm-PlAnTeD8:01234567890123456789"
PLANTED = re.compile(r"(?i)planted|01234567890123456789")  # a part of each of them
FOLDER = f"{HOME}/.lmstudio/models/unsloth/tiny-GGUF"
FILE = f"{FOLDER}/tiny-Q4_K_M.gguf"
# What a server may say when something breaks.
SAID = (
    f"cannot open {FILE}: denied to {LOGIN} on {HOST}.local ({HOST}, user={LOGIN}); "
    f"log: '{HOME}/Library/Logs/x.log', file://{FILE}; Authorization: Bearer {TOKEN}; key {TOKEN}"
)
FINE = "unsloth/tiny@q4_k_m"
BROKEN = "unsloth/broken@q4_k_m"


def leaks(text: str) -> list[str]:
    """The planted words in a text, each with what stands around it."""
    return [text[max(0, found.start() - 40) : found.end() + 20] for found in PLANTED.finditer(text)]


def leaks_of_run(path: Path) -> list[str]:
    """The planted words in a run file: in its name, its bytes, its rows and its metadata."""
    rows = pq.read_table(path)
    found = [text for row in rows.to_pylist() for name, value in row.items() for text in _named(name, value)]
    raw = path.read_bytes().decode("latin-1")
    return [one for text in (path.name, raw, str(rows.schema.metadata), *found) for one in leaks(text)]


def _named(name: str, value: Any) -> list[str]:
    """A value's text, with the column it stands in, so that a leak names it."""
    return [] if value is None else [f"{name}: {json.dumps(value, default=str, ensure_ascii=False)}"]


# --- the person, and a machine that knows them ---


def told(*command: str, **variables: str) -> str:
    """What the system's programs print of the machine, its serial number among it."""
    plist = [{"IOPlatformSerialNumber": SERIAL, "gpu-core-count": 80, "PerformanceStatistics": {"user": LOGIN}}]
    answers = {
        "ioreg": plistlib.dumps(plist).decode(),
        "pmset": f"Now drawing from 'AC Power' {SERIAL}\n powermode 0\n {LOGIN}\n",
        "sysctl": {"machdep.cpu.brand_string": "Apple M3 Ultra", "hw.model": "Mac15,14"}.get(command[-1], ""),
        "sw_vers": "25B78",
    }
    return answers.get(command[0], f"{SERIAL} {HOST} {LOGIN}")


class Program(SimpleNamespace):
    """A process of theirs, named after them and large."""

    pid = 7

    def name(self) -> str:
        return f"{LOGIN}s private {HOST} app"

    def cmdline(self) -> list[str]:
        return [f"{HOME}/bin/app", "--token", TOKEN]

    def memory_info(self) -> SimpleNamespace:
        return SimpleNamespace(rss=9 * 10**9)


def plant(patch: pytest.MonkeyPatch) -> None:
    """The person and their Mac, on this system."""
    for name, value in {
        "HOME": HOME,
        "USER": LOGIN,
        "LOGNAME": LOGIN,
        "HOSTNAME": HOST,
        "LM_API_TOKEN": TOKEN,
    }.items():
        patch.setenv(name, value)
    patch.setattr(getpass, "getuser", lambda: LOGIN)
    patch.setattr(socket, "gethostname", lambda: f"{HOST}.local")
    patch.setattr(machine, "_linux", machine._macos)
    patch.setattr(machine, "output", told)
    patch.setattr(environment, "IS_MACOS", True)
    patch.setattr(environment, "output", told)
    patch.setattr(environment, "cpu_busy_percent", lambda seconds=0.5: environment.Reading(1.0))
    patch.setattr(environment, "swap_used_bytes", lambda: environment.Reading(0))
    patch.setattr(preflight.processes, "every", lambda: [Program()])
    plenty = SimpleNamespace(total=512 * 2**30, available=400 * 10**9)
    patch.setattr(preflight.psutil, "virtual_memory", lambda: plenty)
    patch.setattr(runs, "Sampler", NoSampler)
    patch.setattr(runs, "BASELINE_S", 0)
    patch.setattr(runs, "SETTLE_S", 0)
    patch.setattr(runs.awake, "command", lambda: ["no-such-program"])
    patch.setattr(lmstudio, "SETTLE_S", 0)
    patch.setattr(lmstudio, "STATUS_PORTS", ())
    patch.setattr(lms, "find", lambda: None)
    patch.setattr(OpenAIChat, "engine_pid", lambda self: None)
    patch.setattr(run_command, "report", lambda outcome, folder, as_json: None)  # for the terminal only


class Said(NamedTuple):
    code: object
    out: str
    err: str


def collect(patch: pytest.MonkeyPatch, results: Results, *arguments: str) -> Said:
    """`collect` as typed, in this process."""
    out, err = io.StringIO(), io.StringIO()
    with patch.context() as streams:
        streams.setattr(sys, "argv", ["collect", *arguments, "--results", str(results.root)])
        streams.setattr(sys, "stdout", out)
        streams.setattr(sys, "stderr", err)
        code: object = 0
        try:
            cli.main()
        except SystemExit as ended:
            code = ended.code
    return Said(code, out.getvalue(), err.getvalue())


def served(*answers: Answer, model: str = FILE, **routes: Any) -> Loopback:
    """A server whose requests are answered so, in turn; the last one answers all others too."""
    server = Loopback()
    server.models = [model]
    server.script = dict(enumerate(answers, start=1))
    server.otherwise = answers[-1] if answers else server.otherwise
    server.routes = {f"/{path}": whole(200, body) for path, body in routes.items()}
    return server


QUICK = ("--suite", "smoke", "--repeats", "1")
LADDER = "ladder"


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Results]:
    """The results of a model that loads and is measured, of one that does not, of requests that fail, of a ladder."""
    results = Results(tmp_path_factory.mktemp("planted") / "results")
    with pytest.MonkeyPatch.context() as patch:
        plant(patch)
        models = [DoubleModel(FINE), DoubleModel(BROKEN, load_error=SAID)]
        with Double(models, tokens=Scripted(steady(40, ms=0.2, first_ms=1)), token=TOKEN) as studio:
            loaded = collect(patch, results, "--url", studio.url, "--load", FINE, "--unload", "--yes", *QUICK)
            assert loaded.code == 0, loaded.err
            failed = collect(patch, results, "--url", studio.url, "--load", BROKEN, "--yes", *QUICK)
            assert failed.code == 3, failed.err
        errors = whole(500, {"error": {"message": SAID}}), stream(delta(content="one"), sse({"error": SAID}))
        with served(*errors) as server:
            requests = collect(patch, results, "--url", server.url, *QUICK)
            assert requests.code == 3, requests.err
        with served() as server:
            server.routes["/v1/models"] = whole(200, {"data": [{"id": FILE, "max_model_len": 1024}]})
            server.otherwise = reading(1024, said=SAID)
            ladder = collect(patch, results, "context", "--url", server.url)
            assert ladder.code == 0, ladder.err
        yield results


def runs_of(results: Results) -> list[Path]:
    return sorted(results.runs.iterdir())


def test_the_runs_hold_what_went_well_and_what_failed(published: Results) -> None:
    """Or the tests below would look at nothing."""
    assert len(runs_of(published)) == 4
    details = [row["error_detail"] for path in runs_of(published) for row in pq.read_table(path).to_pylist()]
    cleaned = {detail for detail in details if detail}
    assert len(cleaned) >= 2
    assert all("cannot open ~/…" in detail for detail in cleaned)
    rows = [row for path in runs_of(published) for row in pq.read_table(path).to_pylist()]
    assert {row["error_kind"] for row in rows} >= {None, "load_failed", "http_status", "server_error"}
    assert {row["op"] for row in rows} >= {"load", "warmup", "request", "context", "unload"}
    assert {row["chip"] for row in rows} == {"Apple M3 Ultra"}
    assert {row["gpu_cores"] for row in rows} == {80}


def test_no_byte_of_a_run_file_tells_of_the_person(published: Results) -> None:
    for path in runs_of(published):
        assert leaks_of_run(path) == [], path.name


def test_no_file_of_the_results_folder_does(published: Results) -> None:
    for path in published.root.rglob("*"):
        if path.name == said.NAME:  # what was said word for word, for the person
            assert TOKEN not in path.read_text(encoding="utf-8")
            continue
        assert leaks(str(path.relative_to(published.root))) == []
        if path.is_file() and path.suffix != ".parquet":
            assert leaks(path.read_bytes().decode("latin-1")) == [], path.name


def test_no_report_does(published: Results) -> None:
    told = Warehouse(published)
    ids = [row["run_id"] for row in told.rows("select run_id from runs")]
    assert len(ids) == 4
    for run_id in ids:
        facts = report.facts(told, run_id)
        assert leaks(report.markdown(facts)) == []
        assert leaks(json.dumps(facts, default=str, ensure_ascii=False)) == []
        assert leaks(json.dumps(facts, default=str)) == []


@pytest.fixture(scope="module")
def site(published: Results, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The generated site, of all runs but the ladder."""
    folder = tmp_path_factory.mktemp("planted-site")
    results = Results(folder / "results")
    results.runs.mkdir(parents=True)
    for path in runs_of(published):
        if pq.read_table(path, columns=["suite"])["suite"][0].as_py() != "context":
            (results.runs / path.name).write_bytes(path.read_bytes())
    with pytest.MonkeyPatch.context() as patch:
        plant(patch)
        build.export(Maker(Warehouse(results)), folder / "site")
    return folder / "site"


def test_no_file_of_the_site_does(site: Path) -> None:
    files = [path for path in site.rglob("*") if path.is_file()]
    assert {path.suffix for path in files} >= {".md", ".csv", ".parquet", ".js", ".css"}
    for path in files:
        assert leaks(str(path.relative_to(site))) == []
        text = path.read_bytes().decode("latin-1")
        if path.suffix == ".parquet":
            text += str(pq.read_table(path).to_pylist())
        assert leaks(text) == [], path.name


def test_the_site_shows_the_failure_without_them(site: Path) -> None:
    assert "cannot open ~/…" in (site / "data" / "runs.csv").read_text(encoding="utf-8")


def test_the_page_of_the_ladder_does_not(published: Results) -> None:
    page = build.page(Warehouse(published), "context.md", set())
    assert "tiny-Q4_K_M.gguf" in page
    assert leaks(page) == []


def test_the_probe_of_their_machine_does_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plant(monkeypatch)
    rollup = Path("/proc/self/smaps_rollup")
    if rollup.exists():
        monkeypatch.setattr(memory, "Path", _reading({rollup: f"00-ff ---p 0 00:00 0 [{FILE}]\n"}))
    monkeypatch.setattr(probe.platform, "release", lambda: f"6.8.0-{HOST}")
    monkeypatch.setattr(timing, "WAITS", 1)
    for module in (memory, processes, system):
        monkeypatch.setattr(module, "output", told)
    for platform in (probe.PLATFORM, "darwin"):  # every program of a Mac's says who they are
        monkeypatch.setattr(probe, "PLATFORM", platform)
        found = probe.probe(probe.Place(Results(tmp_path), 1))
        path = probe.save(found, tmp_path)
        assert leaks(path.name) == []
        assert leaks(path.read_text(encoding="utf-8")) == []
        assert leaks(str(found)) == []  # it is what the terminal shows


def _reading(first_lines: dict[Path, str]) -> Any:
    """`Path`, but the first line of these files is another."""

    class Reading(type(Path())):  # type: ignore[misc]
        def read_text(self, *how: Any, **more: Any) -> str:
            text = super().read_text(*how, **more)
            first = first_lines.get(Path(str(self)))
            return text if first is None else first + text.partition("\n")[2]

    return Reading


# --- one place at a time ---


@pytest.fixture
def planted(monkeypatch: pytest.MonkeyPatch, results: Results) -> Callable[..., list[str]]:
    """`planted("--url", …)`: the planted words in the run that this `collect` stores."""
    plant(monkeypatch)

    def run(*arguments: str) -> list[str]:
        said = collect(monkeypatch, results, *arguments, *QUICK)
        assert said.code in (0, 3), said.err
        [path] = runs_of(results)
        return leaks_of_run(path)

    return run


ONE = delta(content="one"), delta("stop"), usage(30, 2), DONE
LLAMA_SERVER = {"build_info": "b9251", "model_path": FILE, "total_slots": 1}


def odd(**chunk: Any) -> Answer:
    """An answer with something more in its chunks."""
    return stream(sse({"choices": [{"delta": {"content": "one"}, "finish_reason": "stop"}], **chunk}), DONE)


@pytest.mark.parametrize(
    "server",
    [
        pytest.param(lambda: served(model=FILE), id="model id"),
        pytest.param(lambda: served(model=FILE.replace("/", "\\").replace("\\Users", "C:\\Users")), id="Windows id"),
        pytest.param(lambda: served(model=f"~{LOGIN}/models/tiny-Q4_K_M.gguf"), id="model id with ~"),
        pytest.param(lambda: served(whole(500, SAID)), id="error as text"),
        pytest.param(lambda: served(whole(404, {"detail": [{"msg": SAID}]})), id="error as JSON"),
        pytest.param(lambda: served(whole(200, {"error": SAID})), id="error with status 200"),
        pytest.param(lambda: served(stream(sse({"error": {"message": SAID}}))), id="error event"),
        pytest.param(lambda: served(stream(sse(SAID), *ONE)), id="event that is no JSON"),
        pytest.param(lambda: served(stream(sse([SAID]), *ONE)), id="event that is no chunk"),
        pytest.param(lambda: served(props=LLAMA_SERVER), id="llama-server's path"),
        pytest.param(lambda: served(odd(model=FILE, id=SAID, object=SAID)), id="other fields of a chunk"),
        pytest.param(lambda: served(odd(system_fingerprint=FILE)), id="fingerprint"),
        pytest.param(lambda: served(stream(delta(f"error in {FILE}", content="one"), DONE)), id="finish reason"),
        pytest.param(lambda: served(props={"build_info": f"b9251 ({FOLDER})"}), id="build"),
        pytest.param(lambda: served(version={"version": f"0.11+{FOLDER}"}), id="version"),
    ],
)
def test_whatever_a_server_says_of_the_person_is_not_stored(
    planted: Callable[..., list[str]], server: Callable[[], Loopback]
) -> None:
    with server() as running:
        assert planted("--url", running.url) == []


@pytest.mark.parametrize("load", [False, True])
def test_a_key_of_lm_studio_that_is_a_path_is_stored_without_it(planted: Callable[..., list[str]], load: bool) -> None:
    with Double([DoubleModel(FILE)], tokens=Scripted(steady(4, ms=0)), token=TOKEN) as studio:
        if not load:
            studio.load(FILE, context_length=131_072)
        assert planted("--url", studio.url, *(("--load", FILE, "--yes") if load else ())) == []


def test_an_identifier_that_the_person_chose_is_not_stored(planted: Callable[..., list[str]]) -> None:
    with Double([DoubleModel(FINE)], tokens=Scripted(steady(4, ms=0)), token=TOKEN) as studio:
        studio.load(FINE, context_length=131_072, identifier=f"{LOGIN}-test")
        studio.load(FINE, context_length=4096, identifier=f"{HOST}-other")
        assert planted("--url", studio.url, "--model", f"{LOGIN}-test", "--force") == []


def test_a_serial_number_in_an_error_text_is_not_stored(planted: Callable[..., list[str]]) -> None:
    with served(whole(500, f"no license for {SERIAL}")) as server:
        assert planted("--url", server.url) == []


def test_a_token_that_looks_like_none_is_not_stored(
    planted: Callable[..., list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LM_API_TOKEN", "planted.by.hand")
    with served(whole(401, "planted.by.hand is not known")) as server:
        assert planted("--url", server.url) == []


@pytest.mark.parametrize("home", ["/Users/planted2", "/home/planted2", "/srv/planted2"])
def test_a_home_folder_is_not_stored_wherever_it_lies(
    planted: Callable[..., list[str]], monkeypatch: pytest.MonkeyPatch, home: str
) -> None:
    monkeypatch.setenv("HOME", home)
    with served(whole(500, f"cannot open {home}/models/x.gguf")) as server:
        assert planted("--url", server.url) == []
