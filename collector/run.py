"""One run in order: load, describe, probe, warm up, measure, unload, write."""

import fcntl
import os
import secrets
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC
from pathlib import Path
from typing import Any

import httpx

from collector import __version__, awake, energy, environment, loads, machine, measure, preflight, stopping, store
from collector.asking import Asker, Interrupted, require_access
from collector.backends import Backend, Facts
from collector.energy.meter import Meter
from collector.errors import CollectorError, RunRefused, ServerNotFound, StoreFailed, Unfit
from collector.journal import Journal
from collector.memory import engine
from collector.memory.readings import method
from collector.memory.sampler import Sampler
from collector.nonce import nonce
from collector.preflight import Finding
from collector.quality import Passes
from collector.recorder import Recorder, Watch
from collector.schema import OUTPUT_FLAWS, Results
from collector.suite import Prompt, Suite
from collector.typed import typed

SAMPLING = {"temperature": 0.7, "top_p": 0.9, "top_k": 40, "repeat_penalty": 1.0, "seed": 42}
WARMUP = Prompt("warmup", "warmup", "Count from one to fifty in words.", max_tokens=32)
STOPS = ("load", "probe")  # operations whose failure ends a run
UNMEASURED = ("probe", "idle", "rest", "warmup")  # operations that are no results
WARM_TOKENS = 16  # of a resend that shows what the prompt cache saves: only its first token matters
BASELINE_S = 2.0  # memory at rest, before the model is loaded
SETTLE_S = 1.0  # and after it was unloaded
UNWIND_S = 2.0  # until what was asked last has let go of the GPU, and its clocks have come down
AGAIN_LOOKS, LOOK_S = 25, 0.2  # whether the person gives it up, between two tries to write to a full disk


@dataclass(frozen=True)
class Job:
    """What to measure, and how often. `block` and `order_code` place the run in a plan.

    `facts`: run columns that whoever asks for the run knows: cool-down, calibration, budget. `refusal`: what asks the
    reader of the file before it is stored.
    """

    suite: Suite
    repeats: int
    results: Results
    context_requested: int | None = None
    preflight: tuple[Finding, ...] = ()
    forced: bool = False
    block: int = 1
    order_code: str | None = None
    sampling: Mapping[str, Any] = field(default_factory=lambda: SAMPLING)
    facts: Facts = field(default_factory=dict)
    passes: Passes = field(default_factory=Passes)
    refusal: store.Refusal = store.taken


Failure = tuple[str, int | None, str | None]


@dataclass(frozen=True)
class Outcome:
    """What came of a run. `path` is None when there was nothing to keep; `stopped_by` says why nothing was measured.

    `said`: the same as the server said it, for the screen. `failures`: kind, HTTP status and words of each request that
    failed. `left_out`: keys that the server refuses. `log`: where all that was said stands, where that is more.
    """

    path: Path | None
    run_id: str
    was_interrupted: bool
    request_count: int
    failed_count: int
    stopped_by: str | None
    failures: tuple[Failure, ...] = ()
    left_out: str | None = None
    said: str | None = None
    log: Path | None = None


Work = Callable[[httpx.Client, Backend, Job, str, Recorder], None]  # the requests, once a model is there to answer


def run(
    client: httpx.Client,
    backend: Backend,
    job: Job,
    watch: Watch = lambda stage, row: None,
    work: Work | None = None,
) -> Outcome:
    """Measure and write one run file; `work` sends the requests, by default the suite's.

    Raises CollectorError before anything was measured.
    """
    run_id = secrets.token_hex(6)
    planned = typed(backend.planned())
    with ExitStack() as stack:
        stack.callback(stopping.release)
        journal = stack.enter_context(Journal(job.results, run_id))
        _wait_for_builds(job.results, journal)
        sampler = Sampler()
        stack.callback(sampler.close)
        meter = Meter()
        stack.callback(meter.close)
        stack.callback(backend.unload)
        recorder = Recorder(journal, sampler, meter, watch)
        kept_awake_by = stack.enter_context(awake.keep())
        recorder.learn(_plan(run_id, job) | planned)
        was_interrupted = False
        try:
            _measure(client, backend, job, run_id, recorder, work or ask_suite)
            stopping.hold()  # what was measured is stored, and the model unloaded, before anybody may stop that
        except (KeyboardInterrupt, Interrupted):
            was_interrupted = True
        except BaseException as error:
            stopping.hold()
            measured = [row for row in recorder.operations if row["op"] not in UNMEASURED]
            if not recorder.operations or (isinstance(error, CollectorError) and not measured):
                journal.remove()  # a mistake found before measuring leaves nothing behind
            else:
                recorder.log()
            raise
        if not recorder.operations:
            journal.remove()
            return Outcome(None, run_id, was_interrupted, 0, 0, None)
        recorder.learn(
            {
                "run_state": "interrupted" if was_interrupted else "complete",
                "run_seconds": recorder.now() / 1e9,
                "kept_awake_by": kept_awake_by(),
            }
        )
        log = recorder.log()
        path = _stored(backend, job, recorder, journal, watch)
        journal.remove()
        return _outcome(path, run_id, was_interrupted, recorder, log)


def _stored(backend: Backend, job: Job, recorder: Recorder, journal: Journal, watch: Watch) -> Path:
    """Write the run file. Raises StoreFailed, but not for want of room while the only whole copy is in memory."""
    journal.make_room()
    is_told, stops = False, stopping.count()
    while True:
        try:
            return store.write(job.results, recorder.facts, recorder.operations, job.refusal)
        except StoreFailed as failed:
            if journal.failure is None or isinstance(failed, RunRefused):
                raise  # all of it is in the journal
            rescued = store.rescue(job.results, recorder.facts, recorder.operations, failed, job.refusal)
            if rescued.path or not store.lacks_room(failed):
                raise rescued from None
            if not is_told:
                is_told = True
                backend.unload()  # nobody knows how long it takes
                watch("trouble", {"op": "store", "error_detail": failed.happened})
            for _ in range(AGAIN_LOOKS):
                if stopping.count() > stops:
                    raise rescued from None
                measure.sleep(LOOK_S)


def _wait_for_builds(results: Results, journal: Journal) -> None:
    """A build that began before the journal stood ends first. Raises StoreFailed."""
    try:
        os.close(results.lock(fcntl.LOCK_EX))
    except OSError as error:
        journal.remove()
        raise StoreFailed(
            f"{results.runs} cannot be used: {error.strerror or error}.",
            "Mend it, or pass another folder with --results. Nothing was measured.",
        ) from error


def _plan(run_id: str, job: Job) -> Facts:
    return {
        "collector_version": __version__,
        "run_id": run_id,
        "run_state": "interrupted",  # until it is known to be complete
        "run_started_at": measure.utc_now(),
        "forced": job.forced,
        "preflight": list(job.preflight),
        "suite": job.suite.name,
        "suite_sha256": job.suite.sha256,
        "repeats": job.repeats,
        "context_requested": job.context_requested,
        "memory_method": method(),
        **job.sampling,
        **job.facts,
        **job.passes.facts,
        **machine.describe(),
    }


def _measure(client: httpx.Client, backend: Backend, job: Job, run_id: str, recorder: Recorder, work: Work) -> None:
    swap = environment.swap_used_bytes()
    if not _load(backend, job, recorder):
        return
    recorder.learn(typed(backend.describe()))
    if not backend.loads:
        _find_engine(backend, recorder)
    findings = [*preflight.of_loaded(recorder.facts), preflight.of_swap(_grown(swap, environment.swap_used_bytes()))]
    recorder.learn({"preflight": [*job.preflight, *findings]})
    if (failed := preflight.failures(findings)) and not job.forced:
        _refuse(failed, recorder)
        return
    try:
        probe = {"roundtrip_us": measure.roundtrips(client, backend.trivial_requests())}
    except httpx.HTTPError as error:
        raise ServerNotFound(f"The server stopped answering ({type(error).__name__}).", "Start it again.") from None
    recorder.end("probe", {**probe, "environment": environment.survey(job.results.root)})
    _rest(recorder)
    work(client, backend, job, run_id, recorder)
    _rest(recorder)
    if backend.loads:
        recorder.begin("unload", {})
        facts, began, elapsed = measure.timed(backend.unload)
        recorder.end("unload", {"elapsed_ns": elapsed, **facts}, began=began)
        measure.sleep(SETTLE_S)
        recorder.idle()


def _rest(recorder: Recorder) -> None:
    """Store what energy flows while the model is loaded and nothing is asked: what is asked takes the rest of it.

    Before and after, so that what else began on the machine meanwhile shows.
    """
    if recorder.facts.get("server_place") not in (None, "local"):
        recorder.learn({"energy_reason": energy.ELSEWHERE})
        return
    recorder.learn(recorder.meter.facts())
    if recorder.meter.is_on:
        measure.sleep(UNWIND_S)
        recorder.begin("rest", {})
        facts, began, elapsed = measure.timed(recorder.meter.rest)
        recorder.end("rest", {"elapsed_ns": elapsed, **facts}, began=began)


def _refuse(failed: list[Finding], recorder: Recorder) -> None:
    """What was loaded must not be measured: an error, or a row where loading it is already part of a run."""
    said = "; ".join(f"{finding['name']}: {finding['detail']}" for finding in failed)
    if not recorder.operations:
        raise Unfit(f"What is loaded is not fit to measure: {said}.", "Mend that, or pass --force.")
    recorder.end("probe", {"error_kind": "unfit", "error_detail": said})


def ask_suite(client: httpx.Client, backend: Backend, job: Job, run_id: str, recorder: Recorder) -> None:
    """Warm up, then every prompt of the suite as often as asked for; then the passes that are not timed."""
    asker = Asker(client, backend, recorder)
    sampling = dict(job.sampling)
    # The same request twice: the second time shows whether the seed decides the text.
    digits = nonce(run_id, WARMUP.id, 1, 0)
    first = asker.ask("warmup", WARMUP, digits, 1, sampling)
    require_access(client, first)
    second = asker.ask("warmup", WARMUP, digits, 1, sampling)
    said, again = ((row["reasoning_text"], row["output_text"]) for row in (first, second))
    honored = None if _is_failed(first) or _is_failed(second) else said == again
    findings = [*recorder.facts["preflight"], preflight.of_seed(honored)]
    recorder.learn({"seed_honored": honored, "preflight": findings})
    position = 0
    for repeat in range(1, job.repeats + 1):
        # There and back, so that a drift of the machine hits all prompts alike.
        for prompt in job.suite.prompts if repeat % 2 else job.suite.prompts[::-1]:
            position += 1
            where = {"block": job.block, "position": position, "order_code": job.order_code}
            digits = nonce(run_id, prompt.id, repeat, position)
            row = asker.ask("request", prompt, digits, repeat, sampling, where=where)
            if repeat == job.repeats and row["first_text_ns"] is not None:
                # Directly after, while a cache of a single prompt still holds it.
                asker.ask("warm", prompt, digits, repeat, sampling, min(prompt.max_tokens, WARM_TOKENS), where)
        recorder.end("probe", {"environment": environment.survey(job.results.root)})
    job.passes.ask(asker, job.suite, sampling)


def _load(backend: Backend, job: Job, recorder: Recorder) -> bool:
    """Load the model if the backend does that, timed; whether there is a model to measure."""
    if not backend.loads:
        return True
    recorder.begin("load", {})
    around = environment.survey(job.results.root)
    backend.prepare()
    root = backend.engine_pid() or os.getpid()  # an engine not started yet will be a child of ours
    before, load_began = engine.sizes(root), measure.utc_now()
    recorder.sampler.watch_tree(root)
    measure.sleep(BASELINE_S)
    is_repeat = backend.was_loaded or loads.is_repeat(job.results, recorder.facts)
    said, began, elapsed = measure.timed(backend.load)
    facts = typed(said)
    recorder.sampler.sample_now()
    if facts.get("error_kind") is None:
        _find_engine(backend, recorder, before, load_began.replace(tzinfo=UTC).timestamp())
        loads.remember(job.results, recorder.facts)
    row = {"elapsed_ns": elapsed, "load_is_repeat": is_repeat, "environment": around, **facts}
    recorder.end("load", row, began=began)
    return facts.get("error_kind") is None


def _find_engine(
    backend: Backend, recorder: Recorder, before: engine.Sizes | None = None, load_began: float | None = None
) -> None:
    """From now on only the processes that hold the model are sampled; samples since the load count for them too."""
    root = backend.engine_pid()
    found = engine.find(root, before, recorder.facts.get("file_bytes"), load_began) if root else None
    recorder.engine = found
    recorder.sampler.watch_only(found.pids if found else ())
    if found:
        recorder.learn(
            {
                "engine_process_count": len(found.pids),
                "engine_found_by": found.found_by,
                "engine_is_new": found.is_new,
            }
        )


def _is_failed(row: Facts) -> bool:
    return row["error_kind"] not in (None, *OUTPUT_FLAWS)


def _grown(before: environment.Reading, after: environment.Reading) -> int | None:
    both = (before.value, after.value)
    return int(both[1] - both[0]) if isinstance(both[0], int | float) and isinstance(both[1], int | float) else None


def _outcome(path: Path, run_id: str, was_interrupted: bool, recorder: Recorder, log: Path | None) -> Outcome:
    operations = recorder.operations
    requests = [row for row in operations if row["op"] == "request"]
    failed = [row for row in requests if _is_failed(row)]
    stopped = next((row for row in operations if row["op"] in STOPS and row.get("error_kind")), {})

    def said(row: Facts) -> str | None:
        return recorder.said.get(row.get("op_index", -1), row.get("error_detail"))

    return Outcome(
        path,
        run_id,
        was_interrupted,
        request_count=len(requests),
        failed_count=len(failed),
        stopped_by=stopped.get("error_detail"),
        said=said(stopped),
        failures=tuple((row["error_kind"], row.get("http_status"), said(row)) for row in failed),
        left_out=recorder.facts.get("keys_left_out"),
        log=log,
    )
