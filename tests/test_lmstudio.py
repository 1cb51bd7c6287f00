"""LM Studio measured as it behaves: a test for each trap of its protocol, against the double."""

import json
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import combinations, pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import click
import httpx
import pyarrow.parquet as pq
import pytest

from collector import cli, environment, measure, preflight
from collector import run as runs
from collector.backends import Facts, lms, lmstudio, lmstudio_models
from collector.commands import _backend
from collector.errors import ModelUnclear, ServerNotFound, Unfit
from collector.schema import Results
from collector.suite import Prompt, Suite
from site_src.warehouse import Warehouse
from tests import loopback
from tests.lmstudio import GUARD_RAILS, OUT_OF_MEMORY, STARTUP_ABORTED, Double, DoubleModel, Scripted, steady
from tests.lmstudio.native import LOAD_KEYS
from tests.programs import PATIENCE_S, until
from tests.test_run import NoSampler

GGUF = "unsloth/tiny@q4_k_m"
MLX = "mlx-community/Tiny-4bit"
GEMMA = "google/gemma-3-1b"  # one key, several variants
CHAT = "/v1/chat/completions"
PROOF = "/api/v0/chat/completions"
TOKEN = "sk-lm-abcdefgh:01234567890123456789"
SUITE = Suite("tiny", "Tiny", (Prompt("a", "test", "Say a.", 99), Prompt("b", "test", "Say b.", 99)))
AT_ONCE = Scripted(steady(4, ms=0, first_ms=0))
AT_LEAST = 0.99  # a wait may end a trifle early by another clock


@dataclass
class Done:
    """A finished run: its outcome, its stored rows, and each answer's `(path, status)`."""

    outcome: runs.Outcome
    rows: list[Facts]
    answers: list[tuple[str, int]]

    @property
    def facts(self) -> Facts:
        """Run columns."""
        return self.rows[0]

    def of(self, op: str) -> list[Facts]:
        """The rows of one kind."""
        return [row for row in self.rows if row["op"] == op]

    @property
    def requests(self) -> list[Facts]:
        """The measured ones."""
        return self.of("request")

    def verdict(self, name: str) -> str:
        """What the stored check of that name found."""
        [finding] = [finding for finding in self.facts["preflight"] if finding["name"] == name]
        return str(finding["verdict"])


@dataclass
class Lab:
    """A double, and `collect` on it without its command line."""

    double: Double
    results: Results
    heard: list[tuple[str, int]] = field(default_factory=list)

    def connect(self, token: str | None = None) -> httpx.Client:
        """A client as `collect` has it, which also keeps what was answered."""
        client = measure.connect(self.double.url, token)
        client.event_hooks = {"response": [lambda answer: self.heard.append((answer.url.path, answer.status_code))]}
        return client

    def collect(
        self,
        load: str | None = None,
        *,
        reload: bool = False,
        model: str | None = None,
        context: int = 8192,
        unload: bool = False,
        yes: bool = True,
        forced: bool = False,
        repeats: int = 1,
        suite: Suite = SUITE,
        token: str | None = None,
        read_s: float | None = None,
        watch: runs.Watch = lambda stage, row: None,
    ) -> Done:
        """One run."""
        with self.connect(token) as client:
            if read_s:
                client.timeout = httpx.Timeout(10, read=read_s)
            asked: int | None = context
            backend: Any
            if load:
                backend = _backend.loading(client, load, context, unload, yes)
            elif reload:
                backend, asked = _backend.reloading(client, model, unload)
            else:
                backend, asked = _backend.loaded_already(client, model, unload), None
            job = runs.Job(suite, repeats, self.results, context_requested=asked, forced=forced)
            outcome = runs.run(client, backend, job, watch)
        assert outcome.path is not None
        return Done(outcome, pq.read_table(outcome.path).to_pylist(), self.heard)

    def backend(self, client: httpx.Client, model: str | None = None) -> lmstudio.LMStudio:
        """LM Studio with whatever is loaded."""
        found = _backend.loaded_already(client, model)
        assert isinstance(found, lmstudio.LMStudio)
        return found

    def chats(self) -> list[Any]:
        """The bodies of all streamed requests."""
        return [seen.json for seen in self.double.requests if (seen.json or {}).get("stream")]

    def measured(self) -> list[Any]:
        """Those that were neither a warm-up nor a warm resend, which repeats the messages before it."""
        sent = [body for body in self.chats() if body["messages"][-1]["content"] != runs.WARMUP.text]
        return [
            body
            for before, body in zip([None, *sent], sent, strict=False)
            if before is None or before["messages"] != body["messages"]
        ]

    def bodies(self, path: str) -> list[Any]:
        """The bodies sent to one path."""
        return [seen.json for seen in self.double.requests if seen.path == path and seen.method == "POST"]

    def loaded(self) -> list[str]:
        """What is loaded now."""
        return [instance.id for instance in self.double.state.instances]

    def files(self) -> list[str]:
        """All that lies in the results folder, but for the lock that runs and builds share."""
        found = sorted(path.name for path in self.results.root.rglob("*") if path.is_file())
        return [name for name in found if name != "runs.lock"]


Given = Callable[..., Lab]


@pytest.fixture(autouse=True)
def alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of this machine counts: no `lms`, no LM Studio, no token, no other memory; and nobody waits."""
    for name in ("LM_API_TOKEN", "LLM_RESULTS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(runs, "Sampler", NoSampler)
    monkeypatch.setattr(runs, "BASELINE_S", 0)
    monkeypatch.setattr(lmstudio, "SETTLE_S", 0)
    monkeypatch.setattr(lmstudio, "STATUS_PORTS", ())
    monkeypatch.setattr(lms, "find", lambda: None)
    monkeypatch.setattr(environment, "swap_used_bytes", lambda: environment.Reading(0))
    monkeypatch.setattr(environment, "cpu_busy_percent", lambda seconds=0.5: environment.Reading(1.0))
    plenty = SimpleNamespace(total=512 * 2**30, available=400 * 10**9)
    monkeypatch.setattr(preflight.psutil, "virtual_memory", lambda: plenty)


@pytest.fixture
def given(results: Results) -> Iterator[Given]:
    """`given(models…, switches…)`: a running double to be measured; answers come at once unless told otherwise."""
    with ExitStack() as stack:

        def make(*models: DoubleModel, loaded: str | None = None, context: int = 131_072, **options: Any) -> Lab:
            catalog = models or (DoubleModel(GGUF), DoubleModel(MLX, format="mlx"))
            double = stack.enter_context(Double(catalog, **{"tokens": AT_ONCE, **options}))
            if loaded:
                double.load(loaded, context_length=context)
            return Lab(double, results)

        yield make


FIND = lms.find  # before `alone` hides it


@pytest.fixture
def with_lms(monkeypatch: pytest.MonkeyPatch) -> Callable[[Lab], None]:
    """`with_lms(lab)`: the stub of `lms` is on the PATH and speaks to this double."""

    def use(lab: Lab) -> None:
        for name, value in lab.double.environment().items():
            monkeypatch.setenv(name, value)
        monkeypatch.setattr(lms, "find", FIND)

    return use


def on(stage: str, op: str, does: Callable[[], object], times: int = 1) -> runs.Watch:
    """A watcher that acts so many times when an operation begins or ends."""
    left = [times]

    def watch(now: str, row: Facts) -> None:
        if (now, row["op"]) == (stage, op) and left[0]:
            left[0] -= 1
            does()

    return watch


# --- which API there is ---


def test_a_server_that_answers_200_to_the_newer_route_is_asked_by_the_older_one(given: Given) -> None:
    lab = given(version="0.3.20", loaded=GGUF)
    done = lab.collect()
    facts = done.facts
    assert (facts["server"], facts["model_key"], facts["model_format"], facts["quantization"]) == (
        "lmstudio",
        GGUF,
        "gguf",
        "Q4_K_M",
    )
    assert (facts["runtime"], facts["runtime_version"]) == (
        "llama.cpp",
        "llama.cpp-mac-arm64-apple-metal-advsimd 2.41.0",
    )
    # The older list tells neither size nor slots.
    assert (facts["context_effective"], facts["context_advertised"], facts["parallel"], facts["file_bytes"]) == (
        131_072,
        131_072,
        None,
        None,
    )
    assert [row["error_kind"] for row in done.requests] == [None, None]


@pytest.mark.parametrize("version", ["0.3.20", "0.4.16"])
@pytest.mark.parametrize("key", [GGUF, MLX])
def test_the_same_call_measures_each_version_and_runtime(given: Given, version: str, key: str) -> None:
    done = given(version=version, loaded=key).collect()
    runtime = {GGUF: "llama.cpp", MLX: "mlx"}[key]
    assert (done.facts["runtime"], done.facts["runtime_proof"] is not None) == (runtime, True)
    assert (done.outcome.request_count, done.outcome.failed_count) == (2, 0)


def test_a_version_that_cannot_load_over_http_says_so_and_leaves_what_is_loaded(given: Given) -> None:
    lab = given(version="0.3.20", loaded=GGUF)
    for asked in ({"load": MLX}, {"reload": True}):
        with pytest.raises(ModelUnclear, match="only through its window"):
            lab.collect(**asked)  # type: ignore[arg-type]
    assert (lab.loaded(), lab.files(), lab.chats()) == ([GGUF], [], [])


def test_an_older_version_loads_and_unloads_through_lms(given: Given, with_lms: Callable[[Lab], None]) -> None:
    lab = given(version="0.3.20", loaded=MLX)
    with_lms(lab)
    done = lab.collect(GGUF, unload=True)
    assert [row["op"] for row in done.rows][:1] == ["load"]
    assert (done.facts["context_effective"], done.facts["parallel"], done.facts["file_bytes"]) == (8192, 1, 98_362_432)
    assert [name for name, _ in lab.double.lms_calls if name in ("load", "unload")] == ["unload", "load", "unload"]
    assert lab.loaded() == []


def test_a_newer_api_is_sent_only_keys_that_it_knows(given: Given) -> None:
    lab = given(loaded=MLX)
    done = lab.collect(GGUF, unload=True)
    assert {status for _, status in done.answers} == {200}
    allowed = {"/api/v1/models/load": set(LOAD_KEYS), "/api/v1/models/unload": {"instance_id"}}
    native = [seen for seen in lab.double.requests if seen.path.startswith("/api/v1/") and seen.method == "POST"]
    assert [seen.path.rpartition("/")[2] for seen in native] == ["unload", "load", "unload"]
    for seen in native:
        assert set(seen.json) <= allowed[seen.path]
    assert lab.bodies("/api/v1/models/load") == [{"model": GGUF, "echo_load_config": True, "context_length": 8192}]
    assert [row["op"] for row in done.rows] == [
        *("load", "probe", "warmup", "warmup", "request", "warm", "request", "warm", "probe", "unload")
    ]
    assert lab.loaded() == []


def test_a_loaded_model_is_unloaded_afterwards_only_where_asked(given: Given) -> None:
    lab = given(loaded=GGUF)
    lab.collect()
    assert lab.loaded() == [GGUF]
    lab.collect(unload=True)
    assert lab.loaded() == []


def test_the_version_of_the_app_is_read_on_this_machine_only(
    given: Given, monkeypatch: pytest.MonkeyPatch, results: Results
) -> None:
    lab = given(loaded=GGUF)
    with loopback.Loopback() as status:
        status.routes["/lms-status"] = loopback.whole(200, {"package": "llmster", "version": "0.4.24"})
        port = int(status.url.rpartition(":")[2])
        monkeypatch.setattr(lmstudio, "STATUS_PORTS", (1, port))
        assert lab.collect().facts["server_version"] == "llmster 0.4.24"
        monkeypatch.setattr(lmstudio, "place", lambda url: "lan")
        assert lab.collect().facts["server_version"] is None


# --- tokens of the API ---


def test_a_right_token_is_sent_and_stands_nowhere(
    given: Given, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    journals: list[bytes] = []
    lab = given(token=TOKEN, loaded=GGUF)

    def watch(stage: str, row: Facts) -> None:
        if (stage, row["op"]) == ("begin", "request"):
            journals.extend(path.read_bytes() for path in lab.results.journals.glob("*.jsonl"))
        elif (stage, row["op"]) == ("end", "probe"):
            lab.double.fail_stream_after(1, f"refused: Authorization: Bearer {TOKEN} of {TOKEN}")

    done = lab.collect(token=TOKEN, watch=watch)
    assert [row["error_kind"] for row in done.of("warmup")] == ["server_error", None]
    assert done.outcome.failed_count == 0
    stored = b"".join(path.read_bytes() for path in lab.results.root.rglob("*") if path.is_file())
    printed = "".join(capsys.readouterr())
    assert journals
    for secret in (TOKEN, TOKEN.partition(":")[2]):
        # The file's text columns are dictionary-coded and compressed; its rows are looked at as well.
        for text in (*(one.decode() for one in journals), stored.decode("latin-1"), str(done.rows), printed):
            assert secret not in text


@pytest.mark.parametrize("token", [None, "sk-lm-wrong"])
@pytest.mark.parametrize("asked", [{}, {"load": GGUF}, {"reload": True}, {"model": GGUF}])
def test_a_missing_or_wrong_token_names_the_variable(given: Given, token: str | None, asked: Any) -> None:
    lab = given(token=TOKEN, loaded=GGUF)
    with pytest.raises(ServerNotFound) as told:
        lab.collect(token=token, **asked)
    assert "token" in told.value.happened
    assert "LM_API_TOKEN" in told.value.remedy
    assert "sk-lm" not in str(told.value)
    assert (lab.chats(), lab.files(), lab.loaded()) == ([], [], [GGUF])


# --- what is loaded ---


@pytest.mark.parametrize("version", ["0.3.20", "0.4.16"])
def test_a_model_that_is_just_loading_is_not_loaded(given: Given, version: str) -> None:
    lab = given(DoubleModel(GGUF), version=version)
    with lab.connect() as client, lab.double.held_load():
        loading = threading.Thread(target=lab.double.load, args=(GGUF,), kwargs={"context_length": 8192})
        loading.start()
        until(lambda: lab.double.state.loading, "the load began")
        [model] = lmstudio_models.listed(client)
        assert model.instances == ()
        with pytest.raises(ModelUnclear, match="no model loaded"):
            lab.backend(client).chosen()
    loading.join(timeout=PATIENCE_S)
    with lab.connect() as client:
        [model] = lmstudio_models.listed(client)
    [instance] = model.instances
    assert (instance.id, instance.context) == (GGUF, 8192)


@pytest.mark.parametrize("version", ["0.3.20", "0.4.16"])
def test_a_page_instead_of_the_list_does_not_mean_that_nothing_is_loaded(
    given: Given, with_lms: Callable[[Lab], None], version: str
) -> None:
    lab = given(version=version)
    if version == "0.3.20":
        with_lms(lab)
    lab.double.html_500_on_load = True
    done = lab.collect(GGUF)
    assert (done.outcome.stopped_by, done.outcome.failed_count) == (None, 0)
    assert (500 in {status for _, status in done.answers}) is True


@pytest.mark.parametrize("failing", [1, 2])
@pytest.mark.parametrize("version", ["0.3.20", "0.4.16"])
def test_a_list_is_asked_again_where_the_server_fails_for_a_moment(
    monkeypatch: pytest.MonkeyPatch, version: str, failing: int
) -> None:
    """Whichever of the two lists it is that fails."""
    v1 = {"models": [{"type": "llm", "key": "a", "format": "mlx", "size_bytes": 9, "loaded_instances": [{"id": "a"}]}]}
    v0 = {"data": [{"type": "llm", "id": "a", "compatibility_type": "mlx", "state": "loaded"}]}
    left = [failing]

    def answer(request: httpx.Request) -> httpx.Response:
        is_v1 = request.url.path == "/api/v1/models"
        if is_v1 and version == "0.3.20":
            return httpx.Response(200, json={"error": "Unexpected endpoint or method. (GET /api/v1/models)"})
        if left[0]:
            left[0] -= 1
            return httpx.Response(500, html="<!DOCTYPE html>")
        return httpx.Response(200, json=v1 if is_v1 else v0)

    monkeypatch.setattr(lmstudio_models, "AGAIN_S", 0)
    with measure.connect("http://127.0.0.1:1", transport=httpx.MockTransport(answer)) as client:
        [model] = lmstudio_models.listed(client)
        left[0] = failing
        assert lmstudio_models.has_load_api(client) is (version == "0.4.16")
    assert [instance.id for instance in model.instances] == ["a"]
    assert model.size_bytes == (9 if version == "0.4.16" else None)


def test_a_list_that_always_fails_does_not_go_on_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.path)
        return httpx.Response(500, html="<!DOCTYPE html>")

    monkeypatch.setattr(lmstudio_models, "AGAIN_S", 0)
    with measure.connect("http://127.0.0.1:1", transport=httpx.MockTransport(answer)) as client:
        assert lmstudio_models.listed(client) == []
    assert 2 < len(asked) < 20


@pytest.mark.parametrize("stage", ["begin load", "end load"])
def test_a_failing_list_takes_no_fact_away(given: Given, stage: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lmstudio_models, "AGAIN_S", 0)
    lab = given(loaded=MLX)

    def fail() -> None:
        lab.double.html_500_once = True

    when, _, op = stage.partition(" ")
    facts = lab.collect(GGUF, watch=on(when, op, fail)).facts
    assert (facts["file_bytes"], facts["parallel"], facts["context_effective"]) == (98_362_432, 4, 8192)
    assert lab.loaded() == [GGUF]


def test_a_second_instance_never_comes_about(given: Given) -> None:
    lab = given(loaded=GGUF, context=4096)
    seen: list[list[str]] = []
    done = lab.collect(GGUF, context=8192, watch=on("begin", "request", lambda: seen.append(lab.loaded()), times=2))
    assert seen == [[GGUF], [GGUF]]
    assert done.facts["context_effective"] == 8192
    assert {body["model"] for body in lab.chats()} == {GGUF}


def test_with_yes_everything_else_is_unloaded_first(given: Given) -> None:
    lab = given(DoubleModel(GGUF), DoubleModel(MLX, format="mlx"), DoubleModel("x/embed", type="embedding"))
    for key in (MLX, MLX, GGUF, "x/embed"):
        lab.double.load(key)
    seen: list[list[str]] = []
    done = lab.collect(GGUF, watch=on("begin", "request", lambda: seen.append(lab.loaded())))
    unloaded = [body["instance_id"] for body in lab.bodies("/api/v1/models/unload")]
    assert sorted(unloaded) == sorted([MLX, f"{MLX}:2", GGUF, "x/embed"])
    assert seen == [[GGUF]]
    assert done.outcome.stopped_by is None


def test_without_a_terminal_and_without_yes_what_is_loaded_stays_and_is_named(given: Given) -> None:
    lab = given(loaded=MLX)
    with pytest.raises(ModelUnclear) as told:
        lab.collect(GGUF, yes=False)
    assert MLX in told.value.happened
    assert "--yes" in told.value.remedy
    assert (lab.loaded(), lab.bodies("/api/v1/models/unload"), lab.bodies("/api/v1/models/load")) == ([MLX], [], [])


def test_without_anything_loaded_nobody_is_asked(given: Given) -> None:
    assert given().collect(GGUF, yes=False).outcome.stopped_by is None


@pytest.mark.parametrize("answer", [True, False])
def test_on_a_terminal_the_person_is_asked(given: Given, monkeypatch: pytest.MonkeyPatch, answer: bool) -> None:
    lab, asked = given(loaded=MLX), []
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(isatty=lambda: True))
    monkeypatch.setattr(click, "confirm", lambda text, **more: asked.append(text) or answer)
    if answer:
        assert lab.collect(GGUF, yes=False).outcome.stopped_by is None
    else:
        with pytest.raises(ModelUnclear, match="stays loaded"):
            lab.collect(GGUF, yes=False)
        assert lab.loaded() == [MLX]
    assert len(asked) == 1
    assert MLX in asked[0]


def test_several_loaded_models_are_named_and_one_can_be_chosen(given: Given) -> None:
    lab = given(loaded=GGUF)
    lab.double.load(MLX)
    with pytest.raises(ModelUnclear) as told:
        lab.collect()
    assert GGUF in told.value.happened
    assert MLX in told.value.happened
    assert "--model" in told.value.remedy
    done = lab.collect(model="tiny-4BIT")  # its last part is enough, in any case
    assert done.facts["model_key"] == MLX
    assert {body["model"] for body in lab.chats()} == {MLX}
    with lab.connect() as client:
        assert lab.backend(client, MLX).others() == [GGUF]
        with pytest.raises(ModelUnclear, match=GGUF):
            lab.backend(client, "no-such").chosen()


def test_of_two_instances_of_a_model_each_can_be_chosen_by_its_name(given: Given) -> None:
    lab = given(loaded=GGUF, context=4096)
    lab.double.load(GGUF, context_length=8192)
    with lab.connect() as client:
        for name, context in ((GGUF, 4096), (f"{GGUF}:2", 8192)):
            _, instance = lab.backend(client, name).chosen()
            assert (instance.id, instance.context) == (name, context)


def test_an_embedding_model_takes_memory_and_is_not_what_is_measured(given: Given) -> None:
    lab = given(DoubleModel(GGUF), DoubleModel("x/embed", type="embedding"), loaded=GGUF)
    lab.double.load("x/embed")
    with lab.connect() as client:
        backend = lab.backend(client)
        assert backend.chosen()[0].key == GGUF
        assert backend.others() == ["x/embed"]


@pytest.mark.parametrize("version", ["0.3.20", "0.4.16"])
def test_no_request_ever_loads_a_model(given: Given, version: str) -> None:
    lab = given(version=version)  # with JIT, where /v1/models lists both
    for model in (None, GGUF):
        with pytest.raises(ModelUnclear, match=r"no model loaded|not loaded"):
            lab.collect(model=model)
    assert {seen.method for seen in lab.double.requests} == {"GET"}
    assert (lab.loaded(), lab.files()) == ([], [])


# --- loading ---


def test_mlx_makes_of_the_context_what_it_likes_and_both_are_stored(given: Given) -> None:
    lab = given(DoubleModel(MLX, format="mlx", auto_fit=42_496))
    done = lab.collect(MLX, context=131_072)
    [load] = done.of("load")
    assert (done.facts["context_requested"], done.facts["context_effective"]) == (131_072, 42_496)
    assert (done.facts["parallel"], done.verdict("parallel")) == (None, "unknown")
    assert done.verdict("context") == "warn"
    assert load["reported_load_s"] is not None
    assert load["elapsed_ns"] > 0


def test_a_context_that_was_fitted_upwards_is_no_fault(given: Given) -> None:
    done = given(DoubleModel(MLX, format="mlx", auto_fit=208_384)).collect(MLX, context=131_072)
    [finding] = [finding for finding in done.facts["preflight"] if finding["name"] == "context"]
    assert (finding["verdict"], finding["detail"]) == ("pass", "208,384 tokens, 131,072 asked for")


def test_gguf_tells_its_slots_and_more_than_one_is_a_warning(given: Given) -> None:
    done = given().collect(GGUF, context=131_072)
    assert (done.facts["context_effective"], done.facts["parallel"]) == (131_072, 4)
    assert (done.verdict("parallel"), done.verdict("context")) == ("warn", "pass")


def test_load_time_is_by_our_clock_and_by_the_servers(given: Given) -> None:
    lab = given(DoubleModel(GGUF, load_ms=30))
    [load] = lab.collect(GGUF).of("load")
    assert load["elapsed_ns"] >= AT_LEAST * 30e6
    assert load["reported_load_s"] >= 0.03
    assert load["reported_load_s"] * 1e9 <= load["elapsed_ns"] + 1e6


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        (OUT_OF_MEMORY, "load_out_of_memory"),
        (GUARD_RAILS, "load_refused"),
        (STARTUP_ABORTED, "load_failed"),
        ("cannot open /Users/anna/.lmstudio/models/x.gguf", "load_failed"),
    ],
)
@pytest.mark.parametrize("through", ["rest", "lms"])
def test_a_load_that_fails_is_a_run_with_that_row(
    given: Given, with_lms: Callable[[Lab], None], said: str, kind: str, through: str
) -> None:
    lab = given()
    if through == "lms":
        with_lms(lab)
    lab.double.fail_next_load(GGUF, said)
    done = lab.collect(GGUF, unload=True)
    [load] = done.rows
    assert (load["op"], load["error_kind"], load["run_state"]) == ("load", kind, "complete")
    assert (load["model_key"], load["quantization"], load["model_requested"], load["runtime"]) == (
        GGUF,
        "Q4_K_M",
        GGUF,
        "llama.cpp",
    )
    assert f'Failed to load model "{GGUF}"' in load["error_detail"]
    assert "anna" not in load["error_detail"]
    assert done.outcome.stopped_by == load["error_detail"]
    assert (done.outcome.request_count, lab.chats(), lab.loaded()) == (0, [], [])


def test_a_load_without_an_answer_is_a_row_too(given: Given) -> None:
    lab = given()
    with lab.double.held_load():
        [load] = lab.collect(GGUF, read_s=0.5).rows
    assert load["error_kind"] == "load_timeout"


def test_a_server_that_vanishes_while_loading_is_a_row_too(given: Given) -> None:
    lab = given(DoubleModel(GGUF, load_ms=60_000))
    threading.Thread(target=_when_loading, args=(lab.double,), daemon=True).start()
    lab.double.state.may_load.clear()
    [load] = lab.collect(GGUF).rows
    lab.double.state.models[0].load_ms = 0
    assert load["error_kind"] == "load_failed"


def _when_loading(double: Double) -> None:
    until(lambda: double.state.loading, "the load began")
    double.vanish()


def test_a_variant_that_does_not_load_is_not_taken_for_another(given: Given) -> None:
    lab = given(DoubleModel(GEMMA, variants=("q4_k_m", "bf16"), size_bytes=800))
    lab.double.fail_next_load(GEMMA, OUT_OF_MEMORY)
    [load] = lab.collect("gemma-3-1b@BF16").rows
    assert (load["error_kind"], load["quantization"], load["model_variant"]) == (
        "load_out_of_memory",
        "BF16",
        f"{GEMMA}@bf16",
    )
    assert load["model_requested"] == f"{GEMMA}@bf16"
    assert load["file_bytes"] is None  # the list has the size of the selected variant


def test_a_variant_is_loaded_and_known_by_its_answer(given: Given) -> None:
    lab = given(DoubleModel(GEMMA, variants=("q4_k_m", "q8_0"), size_bytes=800))
    done = lab.collect(f"{GEMMA}@q8_0")
    assert (done.facts["quantization"], done.facts["model_variant"], done.verdict("variant")) == (
        "Q8_0",
        f"{GEMMA}@q8_0",
        "pass",
    )
    assert (done.facts["quantization_source"], done.facts["file_bytes"]) == ("server", None)


def test_a_variant_is_known_by_its_answer_even_if_that_names_no_engine(given: Given) -> None:
    lab = given(DoubleModel(GEMMA, variants=("q4_k_m", "q8_0"), hides_runtime=True))
    done = lab.collect(f"{GEMMA}@q8_0")
    assert (done.facts["quantization"], done.verdict("variant"), done.verdict("runtime")) == ("Q8_0", "pass", "warn")


@pytest.mark.parametrize("load", [True, False])
def test_variants_of_both_runtimes_under_one_key_are_no_contradiction(given: Given, load: bool) -> None:
    """The newer list names the format of the selected one only."""
    of_mlx = DoubleModel(GEMMA, format="mlx", selected_variant="4bit")
    both = DoubleModel(GEMMA, variants=("q4_k_m", "4bit"), builds=(of_mlx,))
    lab = given(both, loaded=None if load else f"{GEMMA}@4bit")
    done = lab.collect(f"{GEMMA}@4bit" if load else None)
    facts = done.facts
    assert (facts["runtime"], facts["model_format"], facts["quantization"]) == ("mlx", "mlx", "4bit")
    assert (facts["model_variant"], facts["file_bytes"], done.verdict("runtime")) == (f"{GEMMA}@4bit", None, "pass")
    assert "mlx" in str(done.outcome.path)


def test_a_variant_of_the_other_runtime_that_does_not_load_is_known_by_its_name(given: Given) -> None:
    lab = given(DoubleModel(GEMMA, variants=("q4_k_m", "4bit")))
    lab.double.fail_next_load(GEMMA, OUT_OF_MEMORY)
    facts = lab.collect(f"{GEMMA}@4bit").facts
    assert (facts["runtime"], facts["model_format"], facts["quantization"]) == ("mlx", "mlx", "4bit")


def test_what_lms_tells_of_an_instance_is_the_size_of_its_variant(
    given: Given, with_lms: Callable[[Lab], None]
) -> None:
    small = DoubleModel(GEMMA, variants=("q4_k_m", "q8_0"), size_bytes=800)
    large = DoubleModel(GEMMA, quantization="Q8_0", selected_variant="q8_0", size_bytes=1500)
    small.builds = (large,)
    lab = given(small)
    with_lms(lab)
    assert lab.collect(f"{GEMMA}@q8_0").facts["file_bytes"] == 1500


@pytest.mark.parametrize(
    ("typed", "version", "sent"),
    [
        ("TINY@q4_k_m", "0.4.16", GGUF),
        ("tiny-4bit", "0.4.16", MLX),
        ("Gemma-3-1B", "0.4.16", GEMMA),
        ("gemma-3-1b@Q8_0", "0.4.16", f"{GEMMA}@q8_0"),
        ("gemma-3-1b@q8_0", "0.3.20", f"{GEMMA}@q8_0"),  # it lists no variants
    ],
)
def test_a_model_is_asked_for_by_its_full_name_however_it_was_typed(
    given: Given, typed: str, version: str, sent: str
) -> None:
    catalog = (
        DoubleModel(GGUF),
        DoubleModel(MLX, format="mlx"),
        DoubleModel(GEMMA, variants=("q4_k_m", "q8_0")),
    )
    with given(*catalog, version=version).connect() as client:
        assert lmstudio.LMStudio(client, load=typed).planned()["model_requested"] == sent


def test_a_key_that_nothing_is_called_names_what_there_is(given: Given) -> None:
    lab = given()
    with pytest.raises(ModelUnclear) as told:
        lab.collect("no/such")
    assert GGUF in told.value.happened
    assert MLX in told.value.happened
    assert lab.bodies("/api/v1/models/load") == []


def test_a_key_that_two_models_are_called_is_not_guessed(given: Given) -> None:
    lab = given(DoubleModel("a/tiny"), DoubleModel("b/Tiny", format="mlx"))
    with pytest.raises(ModelUnclear, match=r"several models called 'tiny'.*a/tiny, b/Tiny"):
        lab.collect("tiny")


@pytest.mark.parametrize("key", [GGUF, MLX])
def test_reload_loads_the_same_key_and_context_again_timed(given: Given, key: str) -> None:
    lab = given(loaded=key, context=16_384)
    done = lab.collect(reload=True)
    [load] = done.of("load")
    assert lab.bodies("/api/v1/models/load") == [{"model": key, "echo_load_config": True, "context_length": 16_384}]
    assert (done.facts["context_requested"], done.facts["context_effective"]) == (16_384, 16_384)
    assert (load["error_kind"], done.facts["model_key"], lab.loaded()) == (None, key, [key])
    assert [row["error_kind"] for row in done.requests] == [None, None]


def test_reload_loads_the_variant_that_answers_not_the_one_that_is_selected(given: Given) -> None:
    lab = given(DoubleModel(GEMMA, variants=("q4_k_m", "q8_0")))
    lab.double.load(f"{GEMMA}@q8_0", context_length=8192)
    done = lab.collect(reload=True)
    assert [body["model"] for body in lab.bodies("/api/v1/models/load")] == [f"{GEMMA}@q8_0"]
    assert (done.facts["quantization"], done.verdict("variant")) == ("Q8_0", "pass")


def test_reload_does_not_unload_another_model_without_asking(given: Given) -> None:
    lab = given(loaded=GGUF)
    lab.double.load(MLX)
    with pytest.raises(ModelUnclear, match=MLX):
        lab.collect(reload=True, model=GGUF)
    assert sorted(lab.loaded()) == sorted([GGUF, MLX])


def test_what_is_to_make_room_is_unloaded_before_memory_is_checked(
    given: Given, monkeypatch: pytest.MonkeyPatch, results: Results
) -> None:
    """Or a large model could never be loaded in place of another, nor again."""
    lab = given(loaded=GGUF)
    monkeypatch.setattr(
        preflight.psutil,
        "virtual_memory",
        lambda: SimpleNamespace(total=6 * 10**9, available=1e9 if lab.loaded() else 6e9),
    )
    for made in (
        lambda client: _backend.loading(client, MLX, 8192, False, yes=True),
        lambda client: _backend.reloading(client, None, False)[0],
    ):
        if not lab.loaded():
            lab.double.load(GGUF)
        with lab.connect() as client:
            backend = made(client)
            findings = _backend.check(results, backend, backend.planned(), 8192)
        assert [one["verdict"] for one in findings if one["name"] == "free_memory"] == ["pass"]


# --- lms ---


def test_where_lms_is_found_it_loads_with_one_slot_and_the_context(
    given: Given, with_lms: Callable[[Lab], None]
) -> None:
    lab = given()
    with_lms(lab)
    done = lab.collect(MLX, context=16_384)
    [(_, asked)] = [call for call in lab.double.lms_calls if call[0] == "load"]
    assert (asked["key"], asked["parallel"], asked["context_length"]) == (MLX, 1, 16_384)
    assert lab.bodies("/api/v1/models/load") == []
    # An MLX instance does not show its slots over HTTP; lms does.
    assert (done.facts["parallel"], done.facts["context_effective"], done.verdict("parallel")) == (1, 16_384, "pass")
    assert done.facts["seed_honored"] is True
    assert done.outcome.failed_count == 0


def test_lms_is_not_used_for_a_server_elsewhere(given: Given, with_lms: Callable[[Lab], None]) -> None:
    lab = given()
    with_lms(lab)
    with measure.connect(lab.double.url.replace("127.0.0.1", "studio.local"), transport=Nowhere()) as client:
        assert lmstudio.LMStudio(client)._lms is None
    with lab.connect() as client:
        assert lmstudio.LMStudio(client)._lms is not None


class Nowhere(httpx.BaseTransport):
    """Nothing answers."""

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("nobody")


def test_lms_without_a_known_context_asks_for_none(given: Given, with_lms: Callable[[Lab], None]) -> None:
    lab = given()
    with_lms(lab)
    command = lms.find()
    assert command is not None
    assert lms.load(command, GGUF, None) is None
    [(_, asked)] = [call for call in lab.double.lms_calls if call[0] == "load"]
    assert asked["context_length"] is None


@pytest.mark.parametrize("unload", [True, False])
def test_when_lms_loads_another_model_nothing_is_timed(
    given: Given, with_lms: Callable[[Lab], None], unload: bool
) -> None:
    lab = given()
    with_lms(lab)
    lab.double.lms_takes = MLX
    done = lab.collect(GGUF, unload=unload)
    [load] = done.rows
    assert (load["error_kind"], load["error_detail"]) == ("load_mismatch", f"asked for {GGUF}, loaded {MLX}")
    assert (lab.chats(), lab.loaded()) == ([], [] if unload else [MLX])


def test_when_another_variant_was_loaded_nothing_is_timed(given: Given, with_lms: Callable[[Lab], None]) -> None:
    lab = given(DoubleModel(GEMMA, variants=("q4_k_m", "q8_0")))
    with_lms(lab)
    lab.double.lms_takes = f"{GEMMA}@q4_k_m"
    done = lab.collect(f"{GEMMA}@q8_0")
    assert [(row["op"], row["error_kind"]) for row in done.rows] == [("load", None), ("probe", "unfit")]
    assert done.verdict("variant") == "fail"
    assert "q8_0 was asked for, Q4_K_M answers" in str(done.outcome.stopped_by)
    assert lab.chats() == []


def test_a_model_that_another_device_serves_is_refused(given: Given, with_lms: Callable[[Lab], None]) -> None:
    lab = given(DoubleModel(GGUF, device="annas-studio-2"), loaded=GGUF)
    with_lms(lab)
    with pytest.raises(Unfit, match="another device"):
        lab.collect()
    assert (lab.chats(), lab.files()) == ([], [])
    done = lab.collect(forced=True)
    assert (done.facts["served_by"], done.verdict("served_by"), done.facts["forced"]) == (
        "another device (LM Link)",
        "fail",
        True,
    )
    assert "annas-studio" not in str(done.rows)


def test_a_command_that_does_not_answer_tells_nothing(tmp_path: Path) -> None:
    silent = tmp_path / "lms"
    silent.write_text("#!/bin/sh\necho no json\n")
    silent.chmod(0o755)
    assert lms.loaded(str(silent)) == []
    assert lms.loaded(str(tmp_path / "none")) == []
    assert lms.load(str(tmp_path / "none"), GGUF, 8192) is not None


# --- the runtime ---


@pytest.mark.parametrize(
    ("key", "runtime", "version"),
    [
        (GGUF, "llama.cpp", "llama.cpp-mac-arm64-apple-metal-advsimd 2.41.0"),
        (MLX, "mlx", "mlx-llm-mac-arm64-apple-metal-advsimd 1.11.0"),
    ],
)
def test_the_runtime_is_proven_by_one_whole_answer_of_one_token(
    given: Given, key: str, runtime: str, version: str
) -> None:
    lab = given(loaded=key)
    done = lab.collect()
    assert (done.facts["runtime"], done.facts["runtime_version"]) == (runtime, version)
    assert "agree" in done.facts["runtime_proof"]
    assert done.verdict("runtime") == "pass"
    [asked] = lab.bodies(PROOF)
    assert (asked["max_tokens"], asked.get("stream")) == (1, None)


@pytest.mark.parametrize("key", [GGUF, MLX])
def test_timed_requests_go_to_the_same_path_on_both_runtimes(given: Given, key: str) -> None:
    lab = given(loaded=key)
    done = lab.collect(repeats=2)
    posts = [seen.path for seen in lab.double.requests if seen.method == "POST"]
    assert posts == [PROOF, *[CHAT] * 8]  # two warm-ups, two prompts twice, each once more from the cache
    assert done.facts["endpoint"] == CHAT
    assert all(body["stream"] and body["stream_options"] == {"include_usage": True} for body in lab.chats())


def test_a_server_that_names_no_runtime_is_not_proven(given: Given) -> None:
    done = given(DoubleModel(GGUF, hides_runtime=True), loaded=GGUF).collect()
    assert (done.facts["runtime"], done.facts["runtime_proof"], done.facts["runtime_version"]) == (
        "llama.cpp",
        None,
        None,
    )
    assert done.verdict("runtime") == "warn"
    assert done.outcome.failed_count == 0


CONTRADICTING = DoubleModel(MLX, format="mlx", runtime_of="gguf")


def test_a_contradicting_runtime_is_refused_and_leaves_nothing(given: Given) -> None:
    lab = given(CONTRADICTING, loaded=MLX)
    with pytest.raises(Unfit, match="runtime"):
        lab.collect()
    assert (lab.chats(), lab.files()) == ([], [])


def test_a_contradicting_runtime_after_loading_is_a_row(given: Given) -> None:
    lab = given(CONTRADICTING)
    done = lab.collect(MLX, unload=True)
    assert [(row["op"], row["error_kind"]) for row in done.rows] == [("load", None), ("probe", "unfit")]
    assert done.facts["runtime_proof"].startswith("contradicted")
    assert (done.verdict("runtime"), done.outcome.request_count) == ("fail", 0)
    assert "runtime" in str(done.outcome.stopped_by)
    assert (lab.chats(), lab.loaded()) == ([], [])


@pytest.mark.parametrize("load", [None, MLX])
def test_a_contradicting_runtime_is_measured_when_forced_and_every_row_says_so(given: Given, load: str | None) -> None:
    lab = given(CONTRADICTING, loaded=None if load else MLX)
    done = lab.collect(load, forced=True)
    assert {row["forced"] for row in done.rows} == {True}
    assert {row["runtime_proof"].partition(":")[0] for row in done.rows} == {"contradicted"}
    assert [row["error_kind"] for row in done.requests] == [None, None]


# --- what is streamed ---


def reasoning(in_: str) -> Scripted:
    """Three chunks of thought, then three of answer; each part begins after a silence."""
    thought = [(10, "reasoning", "Hm. "), (0, "reasoning", "So "), (0, "reasoning", "then. ")]
    return Scripted([*thought, (20, "answer", "Four "), (0, "answer", "is "), (0, "answer", "it.")])


@pytest.mark.parametrize("place", ["reasoning_content", "reasoning", "think"])
def test_reasoning_is_told_from_the_answer_wherever_it_stands(given: Given, place: str) -> None:
    lab = given(DoubleModel(GGUF, reasoning_in=place), loaded=GGUF, tokens=reasoning(place))
    for row in lab.collect().requests:
        assert (row["reasoning_text"], row["output_text"], row["error_kind"]) == ("Hm. So then. ", "Four is it.", None)
        shown = [(chunk["kind"], chunk["chars"]) for chunk in row["chunks"] if chunk["chars"]]
        assert shown == [
            ("reasoning", 4),
            ("reasoning", 3),
            ("reasoning", 6),
            ("answer", 5),
            ("answer", 3),
            ("answer", 3),
        ]
        assert AT_LEAST * 10e6 <= row["first_text_ns"] < row["first_answer_ns"] <= row["last_text_ns"]
        assert row["first_answer_ns"] >= AT_LEAST * 30e6
        assert row["completion_tokens"] == 6


@pytest.mark.parametrize("place", ["reasoning_content", "reasoning", "think"])
def test_an_answer_cut_off_in_reasoning_is_flawed_and_counts(given: Given, place: str) -> None:
    lab = given(DoubleModel(GGUF, reasoning_in=place), loaded=GGUF)
    lab.double.tokens = Scripted([(0, "reasoning", "Hm. ")] * 200)
    done = lab.collect()
    assert [(row["error_kind"], row["finish_reason"]) for row in done.requests] == [
        ("truncated_in_reasoning", "length")
    ] * 2
    assert {row["first_answer_ns"] for row in done.requests} == {None}
    assert done.outcome.failed_count == 0


def test_chunks_without_text_are_kept_and_are_no_text(given: Given) -> None:
    script = Scripted([(5, "answer", "", 1), (20, "answer", "One ", 2), (0, "answer", "", 1), (0, "answer", "two", 1)])
    for row in given(loaded=GGUF, tokens=script).collect().requests:
        kinds = [(chunk["kind"], chunk["chars"]) for chunk in row["chunks"]]
        assert kinds[:4] == [("other", 0), ("answer", 4), ("other", 0), ("answer", 3)]
        assert (row["output_text"], row["completion_tokens"]) == ("One two", 5)
        assert row["first_text_ns"] >= AT_LEAST * 25e6
        assert row["first_event_ns"] < row["first_text_ns"]


class OnTime:
    """Instead of the double's waiting: each chunk leaves at its scripted moment, so that delays do not add up."""

    def __init__(self) -> None:
        self.due: float | None = None

    def __call__(self, ms: float) -> None:
        now = time.perf_counter()
        self.due = (now if self.due is None or now - self.due > 0.05 else self.due) + ms / 1000
        time.sleep(max(0.0, self.due - time.perf_counter()))


def test_decode_speed_is_of_tokens_however_many_share_a_chunk(given: Given, results: Results) -> None:
    """64 tokens, 5 ms each: 200 a second. Chunks per second would be 200, 50 and 25."""
    one = Suite("one", "One", SUITE.prompts[:1])
    off: dict[int, list[float]] = {1: [], 4: [], 8: []}
    sizes: dict[str, int] = {}
    warehouse = Warehouse(results)
    for _ in range(5):  # a busy computer delays chunks: then once more
        for size in [size for size, seen in off.items() if min(seen, default=1) > 0.01]:
            lab = given(loaded=GGUF, tokens=Scripted(steady(64, ms=5, first_ms=10, per_chunk=size)))
            lab.double.wait = OnTime()  # type: ignore[method-assign]
            done = lab.collect(repeats=3, suite=one)
            sizes[done.outcome.run_id] = size
            texts = [[chunk for chunk in row["chunks"] if chunk["chars"]] for row in done.requests]
            assert [len(chunks) for chunks in texts] == [64 // size] * 3
            assert {row["completion_tokens"] for row in done.requests} == {64}
        warehouse.refresh()
        for row in warehouse.rows("select run_id, decode_tps from request_speed"):
            off[sizes[row["run_id"]]].append(abs(row["decode_tps"] / 200 - 1))
        if all(min(seen) <= 0.01 for seen in off.values()):
            return
    pytest.fail(f"speeds are off by, tokens a chunk → shares: {off}")


def test_a_version_without_token_counts_has_no_speed_and_says_why(given: Given, results: Results) -> None:
    # The first text is alone for long, whatever a busy computer delays: in a burst there is no time to first token.
    steps = [*steady(1), *steady(39, ms=2, first_ms=100)]
    done = given(version="0.3.17", loaded=GGUF, tokens=Scripted(steps)).collect()
    assert {(row["completion_tokens"], row["prompt_tokens"], row["error_kind"]) for row in done.requests} == {
        (None, None, None)
    }
    told = Warehouse(results).rows("select decode_tps, decode_reason, ttft_ms from request_speed")
    assert {(row["decode_tps"], row["decode_reason"]) for row in told} == {(None, "the server sent no token count")}
    assert all(row["ttft_ms"] > 0 for row in told)


def test_no_request_finds_another_in_the_cache(given: Given) -> None:
    lab = given(loaded=GGUF, tokens=Scripted(steady(4, ms=0, first_ms=20)))  # a repeated prompt would take 1 ms
    done = lab.collect(repeats=6)
    firsts = [body["messages"][0]["content"] for body in lab.measured()]
    warm = {body["messages"][0]["content"] for body in lab.chats()} - set(firsts)
    assert len(firsts) == len(set(firsts)) == 12
    assert len(warm) == 1  # the same twice, to see what the seed does
    for one, other in combinations([*firsts, *warm], 2):
        assert one[:6] != other[:6]
    assert all(one[0] != other[0] for one, other in pairwise(firsts))
    for row in done.requests:
        assert row["first_text_ns"] >= AT_LEAST * 20e6
    assert [row["nonce"] for row in done.requests] == [first[:6] for first in firsts]


def test_a_second_run_finds_nothing_of_the_first_in_the_cache(given: Given) -> None:
    lab = given(loaded=GGUF, tokens=Scripted(steady(4, ms=0, first_ms=20)))
    for row in [*lab.collect().requests, *lab.collect().requests]:
        assert row["first_text_ns"] >= AT_LEAST * 20e6


def test_a_long_silence_before_the_first_token_is_time_to_first_token(given: Given) -> None:
    lab = given(loaded=GGUF)
    lab.double.prefill_ms = 120
    for row in lab.collect().requests:
        assert row["first_text_ns"] >= AT_LEAST * 120e6
        assert row["headers_ns"] < AT_LEAST * 120e6  # headers came before the silence, and are no token
        assert row["error_kind"] is None


def test_letters_of_several_bytes_survive_being_split(given: Given) -> None:
    lab = given(loaded=GGUF, tokens=Scripted([(0, "answer", text) for text in ("Größe", " 量子", " 👋🏽", " e\u0301")]))
    lab.double.split_bytes = True
    assert {row["output_text"] for row in lab.collect().requests} == {"Größe 量子 👋🏽 e\u0301"}


# --- failures while measuring ---


def test_a_dead_worker_that_still_reads_as_loaded_is_a_row_and_the_run_goes_on(given: Given) -> None:
    lab = given(loaded=GGUF)
    done = lab.collect(repeats=2, watch=on("begin", "request", lambda: lab.double.kill_worker(GGUF, refusals=2)))
    assert [row["error_kind"] for row in done.requests] == ["worker_gone", "worker_gone", None, None]
    assert [row["http_status"] for row in done.requests] == [400, 400, 200, 200]
    assert "Failed to load model" in done.requests[0]["error_detail"]
    assert {row["run_state"] for row in done.rows} == {"complete"}
    assert (done.outcome.request_count, done.outcome.failed_count) == (4, 2)


def test_a_worker_that_is_dead_from_the_start_fails_every_request_and_proves_nothing(given: Given) -> None:
    lab = given(loaded=GGUF)
    lab.double.kill_worker(GGUF)
    done = lab.collect()
    assert {row["error_kind"] for row in done.requests} == {"worker_gone"}
    assert (done.facts["runtime_proof"], done.facts["seed_honored"], done.verdict("seed")) == (None, None, "unknown")
    assert done.outcome.failed_count == done.outcome.request_count == 2


def test_a_worker_that_dies_in_the_middle_of_an_answer_is_a_row(given: Given) -> None:
    lab = given(loaded=GGUF)
    done = lab.collect(watch=on("begin", "request", lambda: lab.double.fail_stream_after(2)))
    first, second = done.requests
    assert (first["error_kind"], first["output_text"], second["error_kind"]) == ("worker_gone", "word word ", None)


def test_an_empty_200_is_a_failure(given: Given) -> None:
    lab = given(loaded=GGUF)
    lab.double.empty_answers = True
    done = lab.collect()
    assert {(row["error_kind"], row["http_status"], row["output_text"]) for row in done.requests} == {
        ("empty", 200, None)
    }
    assert done.outcome.failed_count == 2


@pytest.mark.parametrize(("key", "kind"), [(GGUF, "empty"), (MLX, "context_overflow")])
def test_a_prompt_that_is_too_long_fails_on_both_runtimes(given: Given, key: str, kind: str) -> None:
    lab = given(loaded=key, context=4096)
    lab.double.tokens = Scripted(steady(4, ms=0, first_ms=0), prompt_tokens=5000)
    assert {row["error_kind"] for row in lab.collect().requests} == {kind}


def test_a_cut_stream_is_a_row_with_what_had_come(given: Given) -> None:
    lab = given(loaded=GGUF)
    done = lab.collect(watch=on("begin", "request", lambda: lab.double.cut_stream_after(2)))
    first, second = done.requests
    assert (first["error_kind"], first["output_text"]) == ("stream_cut", "word word ")
    assert (second["error_kind"], second["output_text"]) == (None, "word " * 4)


def test_a_server_that_vanishes_in_the_middle_leaves_a_valid_run(given: Given, results: Results) -> None:
    lab = given()

    def is_gone() -> bool:
        try:
            httpx.get(lab.double.url, trust_env=False)
        except httpx.TransportError as error:
            return isinstance(error, httpx.ConnectError)
        return False

    def watch(stage: str, row: Facts) -> None:
        if (row["op"], row.get("repeat"), row.get("prompt_id")) == ("request", 1, "a"):
            lab.double.cut_stream_after(2, and_vanish=True) if stage == "begin" else until(is_gone, "the server ended")

    done = lab.collect(GGUF, repeats=2, unload=True, watch=watch)
    assert [row["error_kind"] for row in done.requests] == ["stream_cut", *["connect"] * 3]
    assert done.requests[0]["output_text"] == "word word "
    assert {row["run_state"] for row in done.rows} == {"complete"}
    [run] = Warehouse(results).rows("select request_count, failed_count from runs")
    assert (run["request_count"], run["failed_count"]) == (4, 4)


def test_a_server_that_falls_silent_is_a_timeout(given: Given) -> None:
    lab = given(loaded=GGUF)

    def fall_silent() -> None:
        lab.double.stall_ms, lab.double.stall_after = 60_000, 2

    def wake() -> None:
        lab.double.stall_ms = 0

    def watch(stage: str, row: Facts) -> None:
        if row["op"] == "request" and row["prompt_id"] == "a":
            fall_silent() if stage == "begin" else wake()

    first, second = lab.collect(read_s=0.5, watch=watch).requests
    assert (first["error_kind"], first["output_text"], second["error_kind"]) == ("timeout", "word word ", None)


@pytest.mark.parametrize("text", ["Sure.<|im_end|>", "[INST] again"])
def test_a_leaked_template_is_a_flaw_of_the_text_only(given: Given, text: str) -> None:
    done = given(loaded=GGUF, tokens=Scripted([(0, "answer", text)])).collect()
    assert {row["error_kind"] for row in done.requests} == {"template_leak"}
    assert done.outcome.failed_count == 0


# --- the seed ---


@pytest.mark.parametrize(
    ("model", "honored", "verdict"),
    [
        (DoubleModel(GGUF), True, "pass"),
        (DoubleModel(MLX, format="mlx"), False, "warn"),  # batched, as four slots are
        (DoubleModel(MLX, format="mlx", honors_seed=True), True, "pass"),
    ],
)
def test_whether_the_seed_is_honored_is_measured(given: Given, model: DoubleModel, honored: bool, verdict: str) -> None:
    lab = given(model, loaded=model.key)
    done = lab.collect()
    assert {row["seed_honored"] for row in done.rows} == {honored}
    assert done.verdict("seed") == verdict
    first, second = [body for body in lab.chats() if body["messages"][-1]["content"] == runs.WARMUP.text]
    assert first == second
    assert first["seed"] == 42


def test_the_seed_is_measured_on_a_model_that_only_thinks_in_its_warmup(given: Given) -> None:
    """32 tokens are less than a reasoning model thinks."""
    lab = given(loaded=MLX, tokens=Scripted([(0, "reasoning", "Hm. ")] * 200))
    done = lab.collect()
    assert (done.facts["seed_honored"], done.verdict("seed")) == (False, "warn")


# --- the command line ---


@pytest.fixture
def typed(
    results: Results, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., tuple[int, str, str]]:
    """`typed("--url", …)`: exit code, stdout and stderr of `collect`; results go to the test's own folder."""

    def call(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["collect", *arguments])
        code: object = 0
        try:
            cli.main()
        except SystemExit as ended:
            code = ended.code
        assert isinstance(code, int)
        return code, *capsys.readouterr()

    return call


Typed = Callable[..., tuple[int, str, str]]
QUICK = ("--suite", "smoke", "--repeats", "1")


def test_collect_loads_measures_unloads_and_prints_a_path(given: Given, typed: Typed, results: Results) -> None:
    lab = given(loaded=MLX)
    code, out, err = typed("--url", lab.double.url, "--load", GGUF, "--unload", "--yes", *QUICK)
    [path] = results.runs.iterdir()
    assert (code, out) == (0, f"{path}\n"), err
    assert lab.loaded() == []
    assert {row["context_requested"] for row in pq.read_table(path).to_pylist()} == {131_072}


def test_the_last_lines_say_what_a_comparison_must_know(given: Given, typed: Typed) -> None:
    """Seed, slots, runtime and context: each of them makes a run comparable with fewer others."""
    batched = DoubleModel(MLX, format="mlx", shows_parallel=True, hides_runtime=True)
    lab = given(batched, loaded=MLX, context=8192, tokens=Scripted(steady(40, ms=0, first_ms=0)))
    code, _, err = typed("--url", lab.double.url, *QUICK)
    assert code == 0
    last = " ".join(err.partition("note:")[2].split())  # as wide as the terminal
    for said in ("seed was not honored", "runtime not proven", "4 slots", "context below 131,072"):
        assert said in last
    assert "collect --reload" in err


def test_a_contradicting_runtime_stops_collect_and_forced_it_is_said_in_the_last_lines(
    given: Given, typed: Typed, results: Results
) -> None:
    lab = given(CONTRADICTING, loaded=MLX)
    code, out, err = typed("--url", lab.double.url, *QUICK)
    assert (code, out) == (1, "")
    assert "contradicted" in err
    assert "--force" in err
    code, out, err = typed("--url", lab.double.url, "--force", *QUICK)
    assert code == 0
    last = " ".join(err.partition("note:")[2].split())
    assert "contradicted" in last
    [path] = results.runs.iterdir()
    assert {row["forced"] for row in pq.read_table(path).to_pylist()} == {True}


def test_a_second_model_stops_collect_unless_forced(given: Given, typed: Typed, results: Results) -> None:
    lab = given(loaded=GGUF)
    lab.double.load(MLX)
    code, out, err = typed("--url", lab.double.url, *QUICK)
    assert (code, out) == (1, "")
    assert GGUF in err
    assert MLX in err
    code, out, err = typed("--url", lab.double.url, "--model", GGUF, *QUICK)
    assert (code, out, lab.chats()) == (1, "", [])
    assert f"second model: loaded beside it: {MLX}" in err
    code, out, err = typed("--url", lab.double.url, "--model", GGUF, "--force", "--json", *QUICK)
    figures = json.loads(out)
    assert (code, figures["is_forced"], figures["failed_count"]) == (0, True, 0)
    [path] = results.runs.iterdir()
    for row in pq.read_table(path).to_pylist():
        assert row["forced"]
        assert {one["verdict"] for one in row["preflight"] if one["name"] == "second_model"} == {"fail"}


def test_collect_says_that_nothing_is_loaded_and_asks_for_no_token(given: Given, typed: Typed) -> None:
    lab = given()
    code, out, err = typed("--url", lab.double.url)
    assert (code, out) == (1, "")
    assert "no model loaded" in err
    assert "--load" in err
    assert {seen.method for seen in lab.double.requests} == {"GET"}


def test_a_model_that_does_not_load_is_exit_code_3_and_a_file(given: Given, typed: Typed, results: Results) -> None:
    lab = given(DoubleModel(GGUF, load_error=OUT_OF_MEMORY))
    code, out, err = typed("--url", lab.double.url, "--load", GGUF, *QUICK)
    [path] = results.runs.iterdir()
    assert (code, out) == (3, f"{path}\n")
    assert "Insufficient Memory" in err
    assert pq.read_table(path).to_pylist()[0]["error_kind"] == "load_out_of_memory"


def test_collect_sends_the_token_of_the_environment_and_prints_it_nowhere(
    given: Given, typed: Typed, monkeypatch: pytest.MonkeyPatch, results: Results
) -> None:
    lab = given(token=TOKEN, loaded=GGUF)
    code, out, err = typed("--url", lab.double.url, *QUICK)
    assert (code, out) == (1, "")
    assert "LM_API_TOKEN" in err
    monkeypatch.setenv("LM_API_TOKEN", TOKEN)
    code, out, err = typed("--url", lab.double.url, *QUICK)
    assert code == 0
    [path] = results.runs.iterdir()
    assert TOKEN not in out + err + str(pq.read_table(path).to_pylist())
    assert TOKEN.encode() not in path.read_bytes()
