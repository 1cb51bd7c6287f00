"""Results folders as there may be: nothing, figures from before, one run, one machine, two, the whole plan.

Run files as `collect` writes them, with speeds and memory that nobody measured: they exist only in tests. A world is
the same at every call. The repeats of a prompt lie around its speed, and prompts and runs around the configuration's,
so that the geometric mean of medians and of runs is the number in `SPEEDS`.

    python -m tests.worlds NAME FOLDER        LLM_RESULTS=FOLDER mkdocs build
"""

import csv
import hashlib
import math
import random
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from collector import context, store, suite
from collector.backends import Facts
from collector.graders import Output
from collector.judgments import GRADE, GRADES_FORMAT, VOTE, VOTES_FORMAT
from collector.nonce import nonce, shared
from collector.quality import ALLOWANCE
from collector.run import WARM_TOKENS
from collector.schema import CLONE, Results
from tests.conftest import RUN, STARTED
from tests.texts import LOOP, RIGHT, WRONG

NAMES = ("nothing", "archive only", "one run", "one machine", "two machines", "whole plan")

GB, MS, SECOND = 10**9, 10**6, 10**9
CONTEXT = 131_072
MINIMAX, QWEN = "MiniMax-M2.1", "Qwen3-Coder-Next"
KV_GB = {MINIMAX: 33.3, QWEN: 3.2}  # llama.cpp allocates it when loading
AT_REST_GB = 18.0

STUDIO: Facts = {**RUN, "machine_model": "Mac15,14", "cpu_cores": 32, "server_version": "0.4.18", "parallel": 1}
LAPTOP: Facts = {**STUDIO, "machine_model": "Mac16,5", "chip": "Apple M4 Max", "gpu_cores": 40, "cpu_cores": 16}
LAPTOP["memory_bytes"] = 128 * 2**30
SERVER: Facts = {
    **{name: RUN[name] for name in ("run_state", "forced", "endpoint", "temperature", "top_p", "top_k", "seed")},
    "chip": "AMD EPYC",
    "cpu_cores": 2,
    "memory_bytes": 16 * 2**30,
    "os_name": "Debian",
    "os_version": "13",
    "server": "llama-server",
    "server_version": "b7150",
    "server_place": "local",
}
STUDIO_NAME, LAPTOP_NAME = "apple-m3-ultra-80gpu-512gb", "apple-m4-max-40gpu-128gb"
SERVER_NAME = "amd-epyc-2c-16gb"

# Decode speed in tokens/s of every cell of the plan that can be loaded.
SPEEDS = {
    MINIMAX: {"4bit": 45.0, "6bit": 38.5, "8bit": 32.5, "Q4_K_S": 40.0, "Q4_K_M": 38.0, "Q6_K": 32.0, "Q8_0": 28.5},
    QWEN: {
        "4bit": 82.0,
        "6bit": 71.0,
        "8bit": 62.0,
        "Q4_K_M": 66.0,
        "Q6_K": 57.5,
        "Q8_0": 51.0,
        "Q4_0": 70.0,
        "Q2_K": 68.0,
        "BF16": 33.0,
    },
}
PROMPT_TOKENS = {"short": 30, "medium": 34, "long": 38, "reasoning": 58, "instruction": 980}
PROMPT_TOKENS |= {"code_agent": 2650, "multi_file": 5300, "story": 24, "ship": 31}
WRITTEN_TOKENS = {"long": 241}  # of the others 49
QUESTIONS = {f"question-{number}": f"{number * 17} × 23 = {number * 391}" for number in range(1, 7)}


# They stand in no suite, so that a quality pass has prompts enough to tell builds apart by.
ASKED = {name: suite.Prompt(name, "质量", f"{text.partition(' =')[0]} = ?", 500) for name, text in QUESTIONS.items()}


@dataclass(frozen=True)
class Cell:
    """A configuration to be measured, and what measuring it shall show."""

    model: str
    quantization: str
    bits: int
    order_code: str | None = None  # and blocks: its place in the plan
    blocks: tuple[int, ...] = ()
    file_gb: float = 0.0
    mlx_peak_gb: float = 0.0

    @property
    def is_mlx(self) -> bool:
        return self.quantization.endswith("bit")

    @property
    def tps(self) -> float:
        return SPEEDS[self.model][self.quantization]

    @property
    def run_spread(self) -> float:
        """What one of two runs is faster by, and the other slower, as a logarithm."""
        return random.Random(f"{self.model} {self.quantization} runs").gauss(0, 0.004)

    @property
    def peak_gb(self) -> float:
        """With short prompts."""
        return self.mlx_peak_gb if self.is_mlx else self.file_gb + KV_GB[self.model] + 2

    @property
    def facts(self) -> Facts:
        name = self.model.lower()
        kind, version = ("mlx", "0.31.2") if self.is_mlx else ("llama.cpp", "2.41.0")
        publisher = "mlx-community" if self.is_mlx else "unsloth"
        key = f"{name}-{self.quantization}" if self.is_mlx else f"{name}@{self.quantization.lower()}"
        return {
            "runtime": kind,
            "runtime_version": version,
            "model_publisher": publisher,
            "model_key": key,
            "model_format": "mlx" if self.is_mlx else "gguf",
            "quantization": self.quantization,
            "quantization_source": "server",
            "file_bytes": round(self.file_gb * GB),
            "context_advertised": 196_608 if self.model == MINIMAX else 256_000,
            "context_requested": CONTEXT,
            "context_effective": CONTEXT,
            "memory_method": "macOS: system and engine processes",
            "engine_process_count": 1,
            "engine_found_by": "grown while loading",
            "engine_is_new": True,
        }


@cache
def plan() -> dict[tuple[str, str], Cell]:
    """Every cell of the plan's speeds by model and quantization; a group goes there and back, MLX first."""
    with (CLONE / "results" / "plan.csv").open(encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["kind"] != "context"]
    groups: dict[tuple[str, str], list[dict[str, str]]] = {}
    for row in sorted(rows, key=lambda row: row["runtime"] != "mlx"):
        groups.setdefault((row["model"], row["bits"]), []).append(row)
    cells = {}
    for group in groups.values():
        there = "".join(chr(65 + place) for place in range(len(group)))
        for place, row in enumerate(group, start=1):
            order, blocks = there + there[::-1], (place, 2 * len(group) + 1 - place)
            sizes = float(row["size_gb"]), float(row["memory_gb"])
            named = row["model"], row["quantization"]
            cells[named] = Cell(*named, int(row["bits"]), order, blocks, *sizes)
    return cells


@cache
def prompts_of(name: str) -> suite.Suite:
    """A suite, read once."""
    return suite.read(name)


@dataclass
class World:
    """A results folder while it is filled. Each run begins half an hour after the one before."""

    results: Results
    restarts: bool = False  # the machine is started anew before each run, so all loads are cold
    began: datetime = STARTED
    loaded: set[tuple[str, str, str]] = field(default_factory=set)  # machine, model, quantization
    graded: dict[tuple[str, str], list[Facts]] = field(default_factory=dict)  # rows of quality passes, for votes

    def write(self, facts: Facts, rows: list[Facts]) -> str:
        """Store a run, and the grades that its rows bring; its id."""
        named = f"{self.began} {facts['chip']} {facts['model_key']} {facts['quantization']}"
        run_id = hashlib.sha256(named.encode()).hexdigest()[:12]
        rows = [{**row, "op_index": index, **digits(run_id, row)} for index, row in enumerate(rows)]
        path = store.write(
            self.results, {"collector_version": "0.1.0", **facts, "run_id": run_id, "run_started_at": self.began}, rows
        )
        grades = [
            {**{name: row[name] for name in ("op_index", "prompt_id", "prompt_sha256", "text_sha256")}}
            | {"run_id": run_id, "graded_at": self.began, "grader_version": 1, **grade}
            for row in rows
            for grade in row.get("grades", ())
        ]
        if grades:
            table = store.rows_as_table(grades, GRADE, GRADES_FORMAT)
            store.keep(self.results, table, self.results.grades / f"{path.stem}-made.parquet", "grades", "Grades", "")
        self.began += timedelta(minutes=30)
        return run_id

    def measure(
        self,
        cell: Cell,
        block: int | None = None,
        *,
        machine: Facts = STUDIO,
        speed: float = 1.0,
        cv: float = 0.01,
        repeats: int = 3,
        is_loaded_before: bool = False,
        quality: dict[str, str] | None = None,
        failed: int = 0,
        **more: Any,
    ) -> None:
        """One run of a cell. `speed`: a factor on its speed; `quality`: the texts of a quality pass; `failed`: requests
        that came to nothing."""
        name = "standard" if cell.model == MINIMAX else "standard+coding-agent"
        known = prompts_of(name)
        chance = random.Random(f"{cell.model} {cell.quantization} {self.began}")
        requests = timed(cell, known, chance, cell.tps * speed, cv, repeats, block)
        for row in requests:
            row["memory"] = [sample(row["started_ns"] + SECOND, cell, chance.random())]
        requests[:failed] = [{**row, **FAILED} for row in requests[:failed]]
        end_ns = requests[-1]["started_ns"] + requests[-1]["elapsed_ns"] + SECOND
        asked = [
            row
            for place, request in enumerate(requests, start=1)
            for row in (request, *([resent(request)] if place % repeats == 0 and request["chunks"] else []))
        ]
        run = {"suite": name, "suite_sha256": known.sha256, "repeats": repeats, "run_seconds": end_ns / 1e9 + 40}
        passes = judged(cell, known, quality, end_ns + SECOND) if quality else []
        load, unload = self._load(cell, machine, end_ns + len(passes) * SECOND) if not is_loaded_before else ([], [])
        facts = {**machine, **cell.facts, **run, "kept_awake_by": "caffeinate", **more}
        facts |= {"quality_allowance": ALLOWANCE} if quality else {}
        rows = [*load, survey(ended(load)), *asked, survey(end_ns), *passes, *unload]
        run_id = self.write(facts, rows)
        self.graded[cell.model, cell.quantization] = [
            {**row, **digits(run_id, row), "run_id": run_id, "op_index": place}
            for place, row in enumerate(rows)
            if row["op"] == "quality"
        ] or self.graded.get((cell.model, cell.quantization), [])

    def _load(self, cell: Cell, machine: Facts, end_ns: int) -> tuple[list[Facts], list[Facts]]:
        named = machine["chip"], cell.model, cell.quantization
        is_repeat = named in self.loaded and not self.restarts
        self.loaded.add(named)
        seconds = (cell.file_gb / 30 if is_repeat else cell.file_gb / 6) * (1.0 if cell.is_mlx else 0.8)
        seconds *= 1 + 0.01 * random.Random(f"{named} {self.began}").random()
        load = {"op": "load", "started_ns": 5 * SECOND, "elapsed_ns": round(seconds * 1e9), "load_is_repeat": is_repeat}
        calm = {
            "system_used_bytes": round(AT_REST_GB * GB),
            "pressure_level": 1,
            "thermal_level": 0,
            "swap_used_bytes": 0,
        }
        unload = {"op": "unload", "started_ns": end_ns + 5 * SECOND, "elapsed_ns": 2 * SECOND}
        return (
            [{"op": "idle", "started_ns": 0, "memory": [{"at_ns": SECOND, **calm}]}, load],
            [
                unload,
                {"op": "idle", "started_ns": end_ns + 8 * SECOND, "memory": [{"at_ns": end_ns + 20 * SECOND, **calm}]},
            ],
        )

    def fails_to_load(self, cell: Cell) -> None:
        """As BF16 does: out of memory."""
        load = {"op": "load", "started_ns": 5 * SECOND, "elapsed_ns": 63 * SECOND, "load_is_repeat": False}
        load |= {"error_kind": "load_failed", "error_detail": "insufficient memory: 494 GB needed, 480 GB can be had"}
        asked = {"suite": "standard", "suite_sha256": prompts_of("standard").sha256}
        self.write({**STUDIO, **cell.facts, "context_effective": None, **asked}, [load])

    def climb(self, cell: Cell, length: int, usable: int, machine: Facts = STUDIO) -> None:
        """A context ladder up to a length, of which so much is usable."""
        chance = random.Random(f"{cell.model} {cell.quantization} ladder")
        rungs = [1024 * k for k in (4, 16, 32, 64, 96, 128, 160, 192, 224)]
        rungs = [rung for rung in rungs if rung < 0.95 * length] + [length - 2048]
        rows, at_ns = [], 90 * SECOND
        per_token = KV_GB[cell.model] / CONTEXT
        for rung in rungs:
            for number in (1, 2):
                found = 3 if rung <= usable else 3 - number
                row = answered(chance, cell.tps / (1 + rung / 150_000), rung * 1.6 + rung**2 / 90_000, 49)
                grown = per_token * (rung if cell.is_mlx else length - CONTEXT)
                rows.append(
                    {
                        **row,
                        "op": "context",
                        "started_ns": at_ns,
                        "prompt_id": f"rung-{rung}-{number}",
                        "prompt_sha256": f"rung {rung} {number}",
                        "repeat": number,
                        "prompt_tokens": rung,
                        "context_rung": rung,
                        "context_expected_tokens": rung,
                        "cached_tokens": 0,
                        "needles": [
                            {"depth": depth, "name": f"needle {depth}", "number": "4711", "found": place < found}
                            for place, depth in enumerate((0.1, 0.5, 0.9))
                        ],
                        "memory": [sample(at_ns + SECOND, cell, 0.0, grown_gb=grown)],
                    }
                )
                at_ns += row["elapsed_ns"] + SECOND
        beyond = {"op": "context", "prompt_id": "beyond", "prompt_sha256": "beyond", "repeat": 1, "started_ns": at_ns}
        beyond |= {"context_rung": length + length // 16, "context_expected_tokens": length + length // 16}
        beyond |= {"error_kind": "context_overflow", "elapsed_ns": SECOND}
        load, unload = self._load(cell, machine, at_ns)
        asked = {"context_requested": length, "context_effective": length, "context_budget_s": 3600.0}
        facts = {**machine, **cell.facts, **asked, "suite": "context", "run_seconds": at_ns / 1e9 + 40}
        facts["suite_sha256"] = context.SUITE.sha256
        self.write(facts, [*load, survey(ended(load)), *rows, beyond, *unload])

    def smoke(self) -> None:
        """The embedded engine on a small Linux machine: a real path, and no part of the plan."""
        known = prompts_of("smoke")
        chance = random.Random("smoke")
        small = Cell("SmolLM2-135M-Instruct", "Q4_1", 4, file_gb=0.098)
        facts = {**SERVER, "runtime": "llama.cpp", "runtime_version": "b7150", "model_format": "gguf"}
        facts |= {"model_key": "SmolLM2-135M-Instruct.Q4_1.gguf", "quantization": "Q4_1", "file_bytes": 98_000_000}
        facts |= {"context_advertised": 8192, "context_effective": 8192, "engine_found_by": "command line"}
        facts |= {"suite": "smoke", "suite_sha256": known.sha256, "repeats": 5, "run_seconds": 120.0}
        for side in (1, -1):
            requests = timed(small, known, chance, 85.0 * math.exp(side * small.run_spread), 0.01, 5, None)
            for row in requests:
                used = {"system_used_bytes": 2 * GB, "engine_pss_bytes": 310_000_000, "swap_used_bytes": 0}
                row["memory"] = [{"at_ns": row["started_ns"] + SECOND, **used}]
            load = {"op": "load", "started_ns": SECOND, "elapsed_ns": SECOND, "load_is_repeat": True}
            self.write(facts, [load, survey(ended([load])), *requests])

    def vote(self, a: tuple[str, str], b: tuple[str, str], *choices: str) -> None:
        """One person's choices between two builds, a prompt each, the prompts taking turns."""
        others = {(row["prompt_id"], row["repeat"]): row for row in self.graded[b]}
        pairs = [
            (row, others[row["prompt_id"], row["repeat"]])
            for row in self.graded[a]
            if (row["prompt_id"], row["repeat"]) in others
            and row["output_text"] != others[row["prompt_id"], row["repeat"]]["output_text"]
        ]
        for number, choice in enumerate(choices):
            one, other = pairs[number % len(pairs)]
            row = {
                "vote_id": f"{number:012x}",
                "voted_at": self.began,
                "voter": f"{number // len(pairs):012x}",
                **{name: one[name] for name in ("prompt_id", "prompt_sha256", "nonce")},
                **{f"a_{name}": one[key] for name, key in SIDE.items()},
                **{f"b_{name}": other[key] for name, key in SIDE.items()},
                "shown_first": "ab"[number % 2],
                "choice": choice,
            }
            table = store.rows_as_table([row], VOTE, VOTES_FORMAT)
            target = self.results.votes / f"vote-{a[1]}-{b[1]}-{number}.parquet".lower()
            store.keep(self.results, table, target, "vote", "The vote", "")


def sooner(row: Facts) -> Facts:
    """The same request with its first text in a sixth of the time, and all that follows as much earlier."""
    if not row["chunks"]:
        return row
    saved = (row["first_text_ns"] - row["first_text_ns"] // 6) // 1000 * 1000
    before = ("started_ns", "headers_ns")
    times = [name for name, value in row.items() if name.endswith("_ns") and name not in before and value]
    first, *others = row["chunks"]
    chunks = [{**first, "gap_us": first["gap_us"] - saved // 1000}, *others]
    return {**row, **{name: row[name] - saved for name in times}, "chunks": chunks}


def ended(rows: list[Facts]) -> int:
    """When the last of these operations had."""
    return rows[-1]["started_ns"] + rows[-1]["elapsed_ns"] if rows else 1


def resent(row: Facts) -> Facts:
    """The same request once more, directly after it: its first text comes sooner, and it ends before the next."""
    quick = sooner(row)
    chunks = quick["chunks"][:4]
    end = sum(chunk["gap_us"] for chunk in chunks) * 1000
    ends = dict.fromkeys(("last_text_ns", "done_ns", "elapsed_ns"), end)
    about = {"op": "warm", "max_tokens": WARM_TOKENS, "cached_tokens": row["prompt_tokens"] - 8}
    began = {"started_ns": row["started_ns"] + row["elapsed_ns"], "completion_tokens": len(chunks), "chunks": chunks}
    return {**quick, **ends, **about, **began, "output_text": row["output_text"][: sum(c["chars"] for c in chunks)]}


def digits(run_id: str, row: Facts) -> Facts:
    """What a request of a run begins with, as the collector makes it."""
    if row["op"] == "quality":
        return {"nonce": shared(row["prompt_sha256"], row["repeat"])}
    if row["op"] in ("request", "warm", "context"):
        return {"nonce": nonce(run_id, row["prompt_id"], row["repeat"], row.get("position") or 0)}
    return {}


FAILED: Facts = {"error_kind": "timeout", "completion_tokens": None, "first_text_ns": None, "chunks": None}
FAILED |= {"output_text": None}
SIDE = {"run_id": "run_id", "op_index": "op_index", "sha256": "text_sha256"}


# ---------------------------------------------------------------- rows


def answered(chance: random.Random, tps: float, ttft_ms: float, tokens: int, text: str = "") -> Facts:
    """The times of an answer at exactly this speed, one token a chunk, gaps long and short by turns.

    A text that is shorter than its tokens would make it goes on in dots.
    """
    first_us, gap_us = round(1000 * ttft_ms), round(1e6 / tps)
    gaps = [first_us]
    for _ in range((tokens - 1) // 2):
        off = round(gap_us * 0.12 * chance.random())
        gaps += [gap_us + off, gap_us - off]
    first, last = first_us * 1000, sum(gaps) * 1000
    text += "…" * (2 * len(gaps) - len(text))
    ends = [len(text) * place // len(gaps) for place in range(len(gaps) + 1)]
    return {
        "headers_ns": MS,
        "first_event_ns": first,
        "first_text_ns": first,
        "first_answer_ns": first,
        "last_text_ns": last,
        "done_ns": last,
        "elapsed_ns": last,
        "completion_tokens": len(gaps),
        "chunks": [
            {"gap_us": gap, "kind": "answer", "chars": end - begin}
            for gap, begin, end in zip(gaps, ends[:-1], ends[1:], strict=True)
        ],
        "output_text": text,
        "finish_reason": "stop",
        "http_status": 200,
        "client_cpu_us": 40 * len(gaps),
    }


def timed(
    cell: Cell, known: suite.Suite, chance: random.Random, tps: float, cv: float, repeats: int, block: int | None
) -> list[Facts]:
    """A suite's measured requests: `tps` is the geometric mean of the medians over the repeats of each prompt."""
    own = random.Random(f"{cell.model} {cell.quantization}")  # how this build does on each prompt: the same in each run
    offsets = [own.gauss(0, 0.015) for _ in known.prompts]
    center = math.fsum(offsets) / len(offsets)
    rows: list[Facts] = []
    at_ns = 90 * SECOND
    for prompt, offset in zip(known.prompts, offsets, strict=True):
        usual = tps * math.exp(offset - center)
        spread = [cv * 1.22 * (place - (repeats - 1) / 2) / ((repeats - 1) / 2 or 1) for place in range(repeats)]
        for repeat, off in enumerate(chance.sample(spread, repeats), start=1):
            ttft_ms = 110 + PROMPT_TOKENS[prompt.id] * (25 if cell.is_mlx else 30) / usual
            ttft_ms *= 1 + chance.choice(spread)
            text = RIGHT.get(prompt.id, "好的。")
            row = answered(chance, usual * (1 + off), ttft_ms, WRITTEN_TOKENS.get(prompt.id, 49), text)
            rows.append(
                {
                    **row,
                    "op": "request",
                    "started_ns": at_ns,
                    "position": len(rows) + 1,
                    "repeat": repeat,
                    "prompt_id": prompt.id,
                    "prompt_category": prompt.category,
                    "prompt_sha256": prompt.sha256,
                    "max_tokens": prompt.max_tokens,
                    "cached_tokens": 0,
                    "prompt_tokens": PROMPT_TOKENS[prompt.id],
                    "block": block,
                    "order_code": cell.order_code if block else None,
                    "reported_decode_tps": usual * (1 + off) * 1.002,
                }
            )
            at_ns += row["elapsed_ns"] + SECOND
    return rows


def sample(at_ns: int, cell: Cell, off: float, grown_gb: float = 0.0) -> dict[str, int]:
    """What the machine and the engine have in use with a cell loaded; `off` of 1 is 0.1 % less."""
    used = cell.peak_gb * (1 - 0.001 * off) + grown_gb
    engine = used if cell.is_mlx else used - cell.file_gb
    return {
        "at_ns": at_ns,
        "system_used_bytes": round((AT_REST_GB + used) * GB),
        "swap_used_bytes": 0,
        "engine_footprint_bytes": round(engine * GB),
        "engine_footprint_max_bytes": round(engine * GB),
        "compressor_bytes": 0,
        "pressure_level": 1,
        "thermal_level": 0,
    }


def survey(at_ns: int) -> Facts:
    """A probe: round trips, and what the machine was doing."""
    numbers = {"cpu_busy_percent": 3.5, "gpu_busy_percent": 2.0, "free_memory_bytes": 3.4e11, "disk_free_bytes": 2.1e12}
    words = {"thermal_pressure": "nominal", "memory_pressure": "normal", "power_source": "ac", "power_mode": "high"}
    told = [{"name": name, "number": number, "text": None, "reason": None} for name, number in numbers.items()]
    told += [{"name": name, "number": None, "text": text, "reason": None} for name, text in words.items()]
    return {"op": "probe", "started_ns": at_ns, "roundtrip_us": [310, 420, 380], "environment": told}


def judged(cell: Cell, known: suite.Suite, texts: dict[str, str], at_ns: int) -> list[Facts]:
    """A quality pass with its grades: a text that is not the right one has failed, one that goes round is broken."""
    prompts = {prompt.id: prompt for prompt in known.prompts}
    rows = []
    for name, text in texts.items():
        written = text if text == LOOP else f"{text}\n\n（{cell.model} {cell.quantization}）"
        prompt = prompts.get(name) or ASKED[name]
        times = ("first_event_ns", "first_text_ns", "first_answer_ns", "last_text_ns", "done_ns", "elapsed_ns")
        row = {
            "op": "quality",
            "started_ns": at_ns + len(rows) * SECOND,
            "prompt_id": name,
            "prompt_sha256": prompt.sha256,
            "repeat": 1,
            "prompt_category": "质量",
            "max_tokens": prompt.max_tokens + ALLOWANCE,
            "finish_reason": "stop",
            **dict.fromkeys(times, SECOND),
            "chunks": [{"gap_us": SECOND // 1000, "kind": "answer", "chars": len(written)}],
            "output_text": written,
            "text_sha256": Output(written).sha256,
        }
        flaw = {"check_id": "degenerate", "grader": "degenerate", "tier": "Q0", "outcome": "fail"}
        is_right = text == {**RIGHT, **QUESTIONS, **AGENT}[name]
        outcome = ("agrees" if is_right else "differs") if name == "reasoning" else ("pass" if is_right else "fail")
        # a grade that no grader could give is none, so a prompt without a check has that of another
        [asked, *_] = [*(prompts[name].checks if name in prompts else ()), prompts["reasoning"].checks[0]]
        check = {"check_id": asked.id, "grader": asked.grader, "check_sha256": asked.sha256, "tier": "Q1"}
        check |= {"outcome": outcome, "share": float(is_right)}
        rows.append({**row, "grades": [*([flaw] if text == LOOP else []), check]})
    return rows


AGENT = {"code_agent": "已修正 core.py 的运费计算。", "multi_file": "已修改 report.py 与 utils.py。"}
ALL_RIGHT = {**RIGHT, **QUESTIONS}
BROKEN = {**WRONG, "short": LOOP, "long": LOOP, **QUESTIONS, "question-1": "我不知道。", "question-2": LOOP}


# ---------------------------------------------------------------- worlds

EVERYDAY: Facts = {"context_requested": None, "engine_is_new": None}  # the model was loaded before `collect` came


def make(name: str, folder: Path) -> Results:
    """Fill a results folder, which should be new, with one of NAMES."""
    results = Results(folder)
    folder.mkdir(parents=True, exist_ok=True)
    archive = (CLONE / "results" / "archive.csv").read_text(encoding="utf-8")
    if name == "nothing":
        (folder / "archive.csv").write_text(archive.partition("\n")[0] + "\n", encoding="utf-8")
    elif name == "archive only":
        (folder / "archive.csv").write_text(archive, encoding="utf-8")
    elif name == "one run":
        World(results).measure(plan()[MINIMAX, "4bit"], repeats=5, is_loaded_before=True, **EVERYDAY)
    elif name == "one machine":
        _one_machine(World(results))
    elif name == "two machines":
        world = World(results)
        _one_machine(world)
        for quantization, speed in (("4bit", 0.62), ("Q4_K_M", 0.6)):
            cell = plan()[QWEN, quantization]
            for side in (1, -1):
                world.measure(cell, machine=LAPTOP, speed=speed * math.exp(side * cell.run_spread))
        world.smoke()
    elif name == "whole plan":
        _whole_plan(World(results, restarts=True))
    else:
        raise ValueError(f"{name!r} is none of {', '.join(NAMES)}")
    return results


def _in_order(world: World, wanted: Mapping[tuple[str, str], Mapping[str, Any]]) -> None:
    """Both blocks of each, in the plan's order; a quality pass belongs to the first."""
    cells = plan()
    places = [(cells[named], block, options) for named, options in wanted.items() for block in cells[named].blocks]
    for cell, block, options in sorted(places, key=lambda place: (place[0].model, place[0].bits, place[1])):
        is_first = block == cell.blocks[0]
        own = {name: value for name, value in options.items() if is_first or name != "quality"}
        world.measure(cell, block, speed=math.exp(cell.run_spread if is_first else -cell.run_spread), **own)


def _one_machine(world: World) -> None:
    """Half of the plan: both runtimes, a model that does not load, a new runtime version, one that is not stable, two
    quality passes that go well and one that does not, a ladder, votes."""
    cells = plan()
    _in_order(
        world,
        {
            (MINIMAX, "4bit"): {"quality": ALL_RIGHT},
            (MINIMAX, "Q4_K_M"): {"quality": {**ALL_RIGHT, "question-6": "我不知道。"}},
            (MINIMAX, "8bit"): {"quality": ALL_RIGHT},
            (MINIMAX, "Q8_0"): {},
            (QWEN, "4bit"): {"quality": {**ALL_RIGHT, **AGENT}},
            (QWEN, "Q4_K_M"): {},
            (QWEN, "Q6_K"): {"cv": 0.08},
            (QWEN, "8bit"): {},
            (QWEN, "Q8_0"): {"quality": BROKEN},
        },
    )
    world.fails_to_load(cells[MINIMAX, "BF16"])
    newer = {"runtime_version": "0.32.0", "server_version": "0.4.19"}
    world.measure(cells[MINIMAX, "4bit"], speed=1.06, repeats=3, **newer)
    world.climb(cells[MINIMAX, "Q4_K_M"], 196_608, 131_072)
    choices = ("a", "a", "tie", "a", "b", "a", "a", "both bad", "a", "a", "a", "b")
    world.vote((MINIMAX, "4bit"), (MINIMAX, "Q4_K_M"), *choices)


def _whole_plan(world: World) -> None:
    """All that can be measured is; both models have ladders, all builds a quality pass."""
    cells = plan()
    texts = {MINIMAX: ALL_RIGHT, QWEN: {**ALL_RIGHT, **AGENT}}
    every = {(model, name): {"quality": texts[model]} for model, names in SPEEDS.items() for name in names}
    _in_order(world, {**every, (QWEN, "Q2_K"): {"quality": BROKEN}})
    world.fails_to_load(cells[MINIMAX, "BF16"])
    for name in ("4bit", "Q4_K_M"):
        world.climb(cells[MINIMAX, name], 196_608, 131_072)
        world.climb(cells[QWEN, name], 256_000, 229_376)
    world.vote((MINIMAX, "4bit"), (QWEN, "4bit"), *("a", "b", "a", "tie", "a", "a") * 2)


if __name__ == "__main__":
    make(sys.argv[1], Path(sys.argv[2]))
