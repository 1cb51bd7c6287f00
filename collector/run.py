"""One run in order: load, describe, probe, warm up, measure, unload, write."""

import fcntl
import os
import secrets
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from collector import __version__, environment, machine, measure, preflight, record, store
from collector.backends import Backend, Facts
from collector.errors import ServerNotFound, Unfit
from collector.journal import Journal
from collector.memory.readings import METHOD
from collector.memory.sampler import Sampler
from collector.nonce import messages, nonce
from collector.preflight import Finding
from collector.privacy import scrub
from collector.schema import OUTPUT_FLAWS, Results, typed
from collector.suite import Prompt, Suite

SAMPLING = {"temperature": 0.7, "top_p": 0.9, "top_k": 40, "repeat_penalty": 1.0, "seed": 42}
WARMUP = Prompt("warmup", "warmup", "Count from one to fifty in words.", max_tokens=32)
STOPS = ("load", "probe")  # operations whose failure ends a run
BASELINE_S = 2.0  # memory at rest, before the model is loaded


@dataclass(frozen=True)
class Job:
    """What to measure, and how often. `block` and `order_code` place the run in a plan."""

    suite: Suite
    repeats: int
    results: Results
    context_requested: int | None = None
    preflight: tuple[Finding, ...] = ()
    forced: bool = False
    block: int = 1
    order_code: str | None = None


@dataclass(frozen=True)
class Outcome:
    """What came of a run. `path` is None when there was nothing to keep; `stopped_by` says why nothing was measured."""

    path: Path | None
    run_id: str
    was_interrupted: bool
    request_count: int
    failed_count: int
    stopped_by: str | None


Watch = Callable[[str, Facts], None]  # told of each operation before (`begin`) and after (`end`), never in between


class _Interrupted(Exception):
    """The person pressed Ctrl-C during a request; its row is stored."""


def run(client: httpx.Client, backend: Backend, job: Job, watch: Watch = lambda stage, row: None) -> Outcome:
    """Measure and write one run file. Raises CollectorError before anything was measured."""
    run_id = secrets.token_hex(6)
    planned = typed(backend.planned())
    with ExitStack() as stack:
        journal = stack.enter_context(Journal(job.results, run_id))
        os.close(job.results.lock(fcntl.LOCK_EX))  # a build that began before the journal stood ends first
        sampler = Sampler(journal.path.with_suffix(".memory"))
        stack.callback(sampler.close)
        stack.callback(backend.unload)
        recorder = _Recorder(journal, sampler, watch)
        recorder.learn(_plan(run_id, job) | planned)
        was_interrupted = False
        try:
            _measure(client, backend, job, run_id, recorder)
        except (KeyboardInterrupt, _Interrupted):
            was_interrupted = True
        except BaseException:
            if not recorder.operations:
                journal.remove()  # a mistake found before measuring leaves nothing behind
            raise
        if not recorder.operations:
            journal.remove()
            return Outcome(None, run_id, was_interrupted, 0, 0, None)
        recorder.learn(
            {
                "run_state": "interrupted" if was_interrupted else "complete",
                "run_seconds": recorder.now() / 1e9,
            }
        )
        path = store.write(job.results, recorder.facts, recorder.operations)
        journal.remove()
        return _outcome(path, run_id, was_interrupted, recorder.operations)


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
        "memory_method": METHOD,
        **SAMPLING,
        **machine.describe(),
    }


def _measure(client: httpx.Client, backend: Backend, job: Job, run_id: str, recorder: "_Recorder") -> None:
    swap = environment.swap_used_bytes().value
    if not _load(backend, recorder):
        return
    recorder.sampler.watch(backend.engine_pid())
    recorder.learn(typed(backend.describe()))
    grown = int(float(environment.swap_used_bytes().value or 0) - float(swap or 0))
    findings = [*preflight.of_loaded(recorder.facts), preflight.of_swap(grown)]
    recorder.learn({"preflight": [*job.preflight, *findings]})
    if (failed := preflight.failures(findings)) and not job.forced:
        _refuse(failed, recorder)
        return
    try:
        probe = {"roundtrip_us": measure.roundtrips(client, backend.trivial_request())}
    except httpx.HTTPError as error:
        raise ServerNotFound(f"The server stopped answering ({type(error).__name__}).", "Start it again.") from None
    recorder.end("probe", probe)
    _ask_all(client, backend, job, run_id, recorder)
    if backend.loads:
        recorder.begin("unload", {})
        facts, began, elapsed = measure.timed(backend.unload)
        recorder.end("unload", {"elapsed_ns": elapsed, **facts}, began=began)


def _refuse(failed: list[Finding], recorder: "_Recorder") -> None:
    """What was loaded must not be measured: an error, or a row where loading it is already part of a run."""
    said = "; ".join(f"{finding['name']}: {finding['detail']}" for finding in failed)
    if not recorder.operations:
        raise Unfit(f"What is loaded is not fit to measure: {said}.", "Mend that, or pass --force.")
    recorder.end("probe", {"error_kind": "unfit", "error_detail": said})


def _ask_all(client: httpx.Client, backend: Backend, job: Job, run_id: str, recorder: "_Recorder") -> None:
    def ask(op: str, prompt: Prompt, repeat: int, place: int, where: Facts) -> Facts:
        digits = nonce(run_id, prompt.id, repeat, place)
        request = backend.chat(messages(digits, prompt.text), prompt.max_tokens, SAMPLING)
        recorder.begin(op, {"prompt_id": prompt.id, "repeat": repeat, "max_tokens": prompt.max_tokens})
        seen = measure.exchange(client, request, backend.parse)
        recorder.sampler.sample_now()
        row = {
            "prompt_id": prompt.id,
            "prompt_category": prompt.category,
            "prompt_sha256": prompt.sha256,
            "max_tokens": prompt.max_tokens,
            "repeat": repeat,
            "nonce": digits,
            **where,
            **record.of_exchange(seen),
        }
        recorder.end(op, row, began=seen.sent_at)
        if seen.was_interrupted:
            raise _Interrupted
        return row

    # The same request twice: the second time shows whether the seed decides the text.
    first, second = (ask("warmup", WARMUP, 1, 0, {}) for _ in range(2))
    said, again = ((row["reasoning_text"], row["output_text"]) for row in (first, second))
    honored = said == again if any(said) and any(again) else None
    findings = [*recorder.facts["preflight"], preflight.of_seed(honored)]
    recorder.learn({"seed_honored": honored, "preflight": findings})
    position = 0
    for repeat in range(1, job.repeats + 1):
        # There and back, so that a drift of the machine hits all prompts alike.
        for prompt in job.suite.prompts if repeat % 2 else job.suite.prompts[::-1]:
            position += 1
            where = {"block": job.block, "position": position, "order_code": job.order_code}
            ask("request", prompt, repeat, position, where)


def _load(backend: Backend, recorder: "_Recorder") -> bool:
    """Load the model if the backend does that, timed; whether there is a model to measure."""
    if not backend.loads:
        return True
    recorder.begin("load", {})
    backend.prepare()
    measure.sleep(BASELINE_S)
    facts, began, elapsed = measure.timed(backend.load)
    recorder.sampler.sample_now()
    if facts.get("error_detail"):
        facts["error_detail"] = scrub(str(facts["error_detail"]))
    recorder.end("load", {"elapsed_ns": elapsed, **facts}, began=began)
    return facts.get("error_kind") is None


class _Recorder:
    """Keeps what is learned of the run, and gives each memory sample to the operation it fell into."""

    def __init__(self, journal: Journal, sampler: Sampler, watch: Watch) -> None:
        self.facts: Facts = {}
        self.operations: list[Facts] = []
        self.sampler = sampler
        self._journal = journal
        self._watch = watch
        self._origin = measure.clock()

    def now(self) -> int:
        """Ns since the run began."""
        return measure.clock() - self._origin

    def learn(self, facts: Facts) -> None:
        """Add run columns."""
        self.facts |= facts
        self._journal.facts(facts)

    def begin(self, op: str, about: Facts) -> None:
        """Tell the watcher what comes next."""
        self._watch("begin", {"op": op, **about})

    def end(self, op: str, facts: Facts, began: int | None = None) -> None:
        """Store a finished operation that began at `began` (by the clock), and the idle time before it."""
        samples = self._samples()
        started = began - self._origin if began is not None else self.now()
        before = [sample for sample in samples if sample["at_ns"] < started]
        if before:
            self._store({"op": "idle", "started_ns": before[0]["at_ns"], "memory": before})
        during = [sample for sample in samples if sample["at_ns"] >= started]
        self._store({"op": op, "started_ns": started, **facts, "memory": during or None})
        self._watch("end", self.operations[-1])

    def _store(self, row: Facts) -> None:
        row["op_index"] = len(self.operations)
        self.operations.append(row)
        self._journal.operation(row)

    def _samples(self) -> list[dict[str, Any]]:
        return [{**sample, "at_ns": sample["at_ns"] - self._origin} for sample in self.sampler.take()]


def _outcome(path: Path, run_id: str, was_interrupted: bool, operations: list[Facts]) -> Outcome:
    requests = [row for row in operations if row["op"] == "request"]
    return Outcome(
        path,
        run_id,
        was_interrupted,
        request_count=len(requests),
        failed_count=sum(row["error_kind"] not in (None, *OUTPUT_FLAWS) for row in requests),
        stopped_by=next(
            (row["error_detail"] for row in operations if row["op"] in STOPS and row.get("error_kind")), None
        ),
    )
