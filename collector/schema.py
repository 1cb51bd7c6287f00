"""The run file: the one contract between collector and site.

A run is one Parquet file in `results/runs/`, one row per operation; the columns of scope `run` repeat on each row.
Unknown is NULL, never 0. The schema only grows: a column is never renamed, retyped or given another meaning, and an
old file reads as NULL in newer columns.

Versions:
    1  2026-11  first
    2  2026-11  environment, engine processes, macOS footprint, calibration of the client, context ladder
    3  2026-11  quality pass
    4  2026-11  sleep of the machine
    5  2026-11  evidence of the wire: which model answered, what was loaded, requests sent again, keys left out
    6  2026-11  length of each prompt in characters, standstill of the client
    7  2026-11  energy counters of the machine, what the engine reads from disk
"""

import functools
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from collector import litter
from collector.errors import TableInvalid as TableInvalid  # what site_src knows of the collector stands in this file

if TYPE_CHECKING:
    import pyarrow

SCHEMA_VERSION = 7
FORMAT = "llm-mac-512 run"  # stands in each file's key-value metadata, beside `schema_version`

# Kinds of `error_kind` that are flaws of what was written; the request itself went well, and its speed counts.
OUTPUT_FLAWS = ("truncated_in_reasoning", "template_leak")
OPERATIONS = (
    "load",
    "idle",
    "probe",
    "rest",
    "warmup",
    "request",
    "warm",
    "quality",
    "fidelity",
    "context",
    "unload",
    "bench",
)

CHUNKS = "STRUCT(gap_us BIGINT, kind VARCHAR, chars INTEGER)[]"
MEMORY = (
    "STRUCT(at_ns BIGINT, system_used_bytes BIGINT, engine_pss_bytes BIGINT, engine_rss_bytes BIGINT, "
    "swap_used_bytes BIGINT, engine_footprint_bytes BIGINT, engine_footprint_max_bytes BIGINT, wired_bytes BIGINT, "
    "compressor_bytes BIGINT, pressure_level INTEGER, thermal_level INTEGER)[]"
)
ENVIRONMENT = "STRUCT(name VARCHAR, number DOUBLE, text VARCHAR, reason VARCHAR)[]"
NEEDLES = "STRUCT(depth DOUBLE, name VARCHAR, number VARCHAR, found BOOLEAN)[]"
_UJ = "gpu_uj BIGINT, cpu_uj BIGINT, ane_uj BIGINT, dram_uj BIGINT"
ENERGY = f"STRUCT(at_ns BIGINT, {_UJ}, gpu_busy_ticks BIGINT, gpu_ticks BIGINT)[]"
CHANNELS = "STRUCT(rail VARCHAR, name VARCHAR, unit VARCHAR)[]"
FINDINGS = "STRUCT(name VARCHAR, verdict VARCHAR, detail VARCHAR)[]"


Scope = Literal["run", "operation", "grade", "vote"]


@dataclass(frozen=True)
class Column:
    """One column of a run file. `type` is DuckDB's name for it."""

    name: str
    type: str
    unit: str
    meaning: str
    scope: Scope


def columns(scope: Scope, *rows: tuple[str, str, str, str]) -> tuple[Column, ...]:
    """Columns of one scope, from name, type, unit and meaning."""
    return tuple(Column(*row, scope) for row in rows)


RUN = columns(
    "run",
    ("schema_version", "INTEGER", "", "version of this schema that wrote the file"),
    ("collector_version", "VARCHAR", "", "version of the collector"),
    ("run_id", "VARCHAR", "", "12 random hexadecimal digits; of an imported file, digits of its hash"),
    ("run_state", "VARCHAR", "", "complete, or interrupted (by the person, or found after a crash)"),
    (
        "run_started_at",
        "TIMESTAMP",
        "UTC",
        "when the run began; every `…_ns` of scope run is counted from here",
    ),
    ("run_seconds", "DOUBLE", "s", "from beginning to writing the file; NULL after a crash"),
    ("forced", "BOOLEAN", "", "measured although a pre-flight check failed"),
    ("preflight", FINDINGS, "", "what was checked before measuring: verdict pass, warn or fail"),
    # the computer
    ("machine_model", "VARCHAR", "", "the maker's model identifier, such as Mac15,14"),
    ("chip", "VARCHAR", "", "processor name as the system gives it"),
    ("cpu_cores", "INTEGER", "cores", "physical cores"),
    ("cpu_performance_cores", "INTEGER", "cores", "Apple silicon: performance cores"),
    ("cpu_efficiency_cores", "INTEGER", "cores", "Apple silicon: efficiency cores"),
    ("gpu_cores", "INTEGER", "cores", "Apple silicon: GPU cores"),
    ("memory_bytes", "BIGINT", "bytes", "memory built in"),
    ("os_name", "VARCHAR", "", "macOS, or the Linux distribution"),
    ("os_version", "VARCHAR", "", "version of the operating system"),
    ("os_build", "VARCHAR", "", "build of macOS"),
    ("wired_limit_mb", "BIGINT", "MiB", "macOS iogpu.wired_limit_mb; 0 is the system's default"),
    # the server and the engine in it
    (
        "server",
        "VARCHAR",
        "",
        "what answered: lmstudio, llama-server, mlx_lm.server, ollama, vllm, unknown; llama-bench: imported",
    ),
    ("server_version", "VARCHAR", "", "the server's own version"),
    ("server_place", "VARCHAR", "", "local, lan or remote; never an address"),
    ("endpoint", "VARCHAR", "", "path that timed requests were sent to"),
    ("runtime", "VARCHAR", "", "engine that runs the model: mlx, llama.cpp, vllm"),
    ("runtime_version", "VARCHAR", "", "version of that engine"),
    ("runtime_proof", "VARCHAR", "", "how the runtime is known; NULL is not proven"),
    ("served_by", "VARCHAR", "", "another device, where LM Studio says so; NULL is this one"),
    # the model
    ("model_key", "VARCHAR", "", "the model's name as the server gives it, without folders"),
    ("model_publisher", "VARCHAR", "", "who published these weights"),
    ("model_variant", "VARCHAR", "", "variant the server says it selected"),
    ("model_requested", "VARCHAR", "", "the key that was asked to be loaded; NULL where the model was loaded before"),
    ("model_architecture", "VARCHAR", "", "architecture name from the weights"),
    ("model_format", "VARCHAR", "", "gguf or mlx"),
    ("model_parameters", "BIGINT", "", "number of weights"),
    ("quantization", "VARCHAR", "", "as the server or the file names it"),
    ("quantization_source", "VARCHAR", "", "where that name is from: server, or model name"),
    ("file_bytes", "BIGINT", "bytes", "weights on disk, or of all tensors where only that is known"),
    ("context_advertised", "INTEGER", "tokens", "longest context the model is made for"),
    ("context_requested", "INTEGER", "tokens", "context length that was asked for"),
    ("context_effective", "INTEGER", "tokens", "context length read back from the server"),
    ("parallel", "INTEGER", "", "slots for requests at once, where the server says so"),
    # what was asked for
    ("suite", "VARCHAR", "", "name of the prompt suite"),
    ("suite_sha256", "VARCHAR", "", "hash of all prompts of the suite, material and limits included"),
    ("repeats", "INTEGER", "", "measured requests planned per prompt"),
    ("temperature", "DOUBLE", "", "sampling, as sent"),
    ("top_p", "DOUBLE", "", "sampling, as sent"),
    ("top_k", "INTEGER", "", "sampling, as sent"),
    ("repeat_penalty", "DOUBLE", "", "sampling, as sent"),
    ("seed", "BIGINT", "", "seed asked for"),
    ("keys_left_out", "VARCHAR", "", "optional keys of a request that the server refuses, with commas; NULL: none"),
    ("seed_honored", "BOOLEAN", "", "measured: the same warm-up request twice gave the same text"),
    ("memory_method", "VARCHAR", "", "whose memory the samples hold, and how it was read"),
    # around the measurement
    ("engine_process_count", "INTEGER", "", "processes whose memory the samples' engine figures sum"),
    (
        "engine_found_by",
        "VARCHAR",
        "",
        "how those were told from others: grown while loading, command line, size, or whole tree",
    ),
    (
        "engine_is_new",
        "BOOLEAN",
        "",
        "each of them was started after loading began, so its lifetime maximum is of this load",
    ),
    (
        "cooldown_s",
        "DOUBLE",
        "s",
        "waited before the run until the machine was at rest; NULL: nobody waited",
    ),
    ("kept_awake_by", "VARCHAR", "", "what kept the machine from sleeping meanwhile; NULL: nothing did"),
    (
        "client_calibrated_at",
        "TIMESTAMP",
        "UTC",
        "when this client was last measured against a server of known times on this machine; NULL: never",
    ),
    ("client_bias_percent", "DOUBLE", "%", "then: median error of decode speed"),
    ("client_jitter_us", "DOUBLE", "µs", "then: standard deviation of the delay from event sent to event stamped"),
    ("client_event_delay_us", "DOUBLE", "µs", "then: median of that delay"),
    ("client_cpu_us_per_token", "DOUBLE", "µs", "then: CPU time of the client for each token received"),
    ("energy_source", "VARCHAR", "", "where readings of energy come from: IOReport Energy Model, RAPL"),
    (
        "energy_channels",
        CHANNELS,
        "",
        "the system's counters behind them, and what each is counted to",
    ),
    ("energy_reason", "VARCHAR", "", "why no counter could be read"),
    ("context_budget_s", "DOUBLE", "s", "time the context ladder was given; NULL: no ladder"),
    (
        "quality_allowance",
        "INTEGER",
        "tokens",
        "added to each prompt's limit in the quality pass, so that a thinking model gets to its answer; NULL: no pass",
    ),
)

OPERATION = columns(
    "operation",
    ("op_index", "INTEGER", "", "order within the run, from 0"),
    ("op", "VARCHAR", "", " | ".join(OPERATIONS) + "; only `request` feeds speed"),
    ("started_ns", "BIGINT", "ns", "when the operation began, since the run's start"),
    ("elapsed_ns", "BIGINT", "ns", "how long it took, by our clock"),
    ("block", "INTEGER", "", "which block of its order this run is, from 1; a block is one load"),
    ("position", "INTEGER", "", "place among the run's measured requests, from 1"),
    ("order_code", "VARCHAR", "", "order of blocks in the plan, such as ABBA; NULL outside the plan"),
    ("prompt_id", "VARCHAR", "", "prompt's name in its suite"),
    ("prompt_category", "VARCHAR", "", "what kind of prompt it is"),
    ("prompt_sha256", "VARCHAR", "", "hash of text, material and token limit: the unit of comparison"),
    ("max_tokens", "INTEGER", "tokens", "limit sent with the request"),
    ("repeat", "INTEGER", "", "which repeat of this prompt, from 1"),
    ("nonce", "VARCHAR", "", "six digits the request began with, so that no prompt cache holds it"),
    ("prompt_chars", "INTEGER", "characters", "of all its messages; blanks, and what repeats at once, count once"),
    # when, in ns since the request was sent
    ("headers_ns", "BIGINT", "ns", "sent → response headers"),
    ("first_event_ns", "BIGINT", "ns", "sent → first event of any kind"),
    ("first_text_ns", "BIGINT", "ns", "sent → first text, reasoning or answer"),
    ("first_answer_ns", "BIGINT", "ns", "sent → first text of the answer"),
    ("last_text_ns", "BIGINT", "ns", "sent → last text"),
    ("done_ns", "BIGINT", "ns", "sent → end of the stream"),
    (
        "chunks",
        CHUNKS,
        "",
        "each streamed event: gap to the one before (the first: to sending), kind, characters",
    ),
    # what the server counted and said
    ("prompt_tokens", "INTEGER", "tokens", "prompt length by the server's usage, cached ones included"),
    ("completion_tokens", "INTEGER", "tokens", "generated tokens by the server's usage, reasoning included"),
    ("reasoning_tokens", "INTEGER", "tokens", "of those, reasoning, where the server says so"),
    ("cached_tokens", "INTEGER", "tokens", "prompt tokens taken from the prompt cache"),
    ("reported_decode_tps", "DOUBLE", "tokens/s", "decode speed the server claims"),
    ("reported_prefill_tps", "DOUBLE", "tokens/s", "prefill speed the server claims"),
    ("reported_prompt_ms", "DOUBLE", "ms", "time the server says it spent on the prompt"),
    ("reported_decode_ms", "DOUBLE", "ms", "time the server says it spent generating"),
    ("reported_load_s", "DOUBLE", "s", "load time the server claims"),
    (
        "load_is_repeat",
        "BOOLEAN",
        "",
        "op load: this model had been loaded since the machine was started, so its file is probably in the file cache",
    ),
    ("finish_reason", "VARCHAR", "", "why generation ended: stop, length, …"),
    ("http_status", "INTEGER", "", "status of the response"),
    ("system_fingerprint", "VARCHAR", "", "what the server calls its build, in the stream"),
    ("answered_model", "VARCHAR", "", "the model that the stream says it is of, as the server writes it; untrusted"),
    ("loaded_instances", "VARCHAR[]", "", "listed as loaded just before the request; NULL: not told, or not asked"),
    ("sent_again", "BOOLEAN", "", "sent twice: the kept connection had been closed; times count from the second"),
    ("output_text", "VARCHAR", "", "the answer; untrusted"),
    ("reasoning_text", "VARCHAR", "", "the reasoning; untrusted"),
    ("error_kind", "VARCHAR", "", "NULL, or how the operation failed"),
    ("error_detail", "VARCHAR", "", "our own sentence, or the known words of what the server said"),
    # around it
    ("roundtrip_us", "BIGINT[]", "µs", "op probe: times of a trivial request, the client's own overhead"),
    ("memory", MEMORY, "", "samples taken meanwhile; at_ns since the run's start"),
    (
        "energy",
        ENERGY,
        "",
        "readings of the energy counters since the operation before; all count from the run's start",
    ),
    ("engine_read_bytes", "BIGINT", "bytes", "what the engine's processes had the disk read meanwhile"),
    ("client_cpu_us", "BIGINT", "µs", "CPU time the client used during the request"),
    ("slept_ms", "BIGINT", "ms", "how long the machine slept meanwhile; our clock stood still in that time"),
    ("stood_ms", "BIGINT", "ms", "how long the client stood still meanwhile, as by Ctrl-Z; our clock went on"),
    ("environment", ENVIRONMENT, "", "op probe: what the machine was doing; NULL readings with their reason"),
    # op context: a rung of the ladder
    ("context_rung", "INTEGER", "tokens", "prompt length this rung aims at"),
    ("context_expected_tokens", "INTEGER", "tokens", "prompt length expected from its characters"),
    ("needles", NEEDLES, "", "what was hidden at which depth (0 to 1), and whether the answer names it"),
    # op bench: what llama-bench measured inside the engine, without server, template and sampler
    (
        "bench_test",
        "VARCHAR",
        "",
        "pp512 is a prompt of 512 tokens, tg128 generates 128, pp512+tg128 does both; @d4096: at that depth",
    ),
    ("bench_depth", "INTEGER", "tokens", "tokens that were in the context before"),
    ("bench_tps", "DOUBLE[]", "tokens/s", "speed of each repetition, as llama-bench says it"),
    ("bench_settings", "VARCHAR", "", "how llama-bench ran the engine, as name=value"),
)

COLUMNS = RUN + OPERATION

# Beyond these no number is one: nothing counts or measures so much, and views may add and multiply without overflow.
LARGEST: dict[str, float] = {"INTEGER": 10**9, "BIGINT": 10**16, "DOUBLE": 1e18}


@functools.cache
def arrow_schema(columns: tuple[Column, ...] = COLUMNS, form: str = FORMAT) -> "pyarrow.Schema":
    """The columns as Arrow types, with the format's name and version as metadata."""
    import pyarrow as pa

    plain = {
        "VARCHAR": pa.string(),
        "INTEGER": pa.int32(),
        "BIGINT": pa.int64(),
        "DOUBLE": pa.float64(),
        "BOOLEAN": pa.bool_(),
        "TIMESTAMP": pa.timestamp("us"),
    }

    def arrow(name: str) -> pa.DataType:
        if name.endswith("[]"):
            return pa.list_(arrow(name.removesuffix("[]")))
        if name.startswith("STRUCT("):
            fields = name.removeprefix("STRUCT(").removesuffix(")").split(", ")
            return pa.struct([(field.split()[0], arrow(field.split()[1])) for field in fields])
        return plain[name]

    metadata = {"format": form, "schema_version": str(SCHEMA_VERSION)}
    return pa.schema([(column.name, arrow(column.type)) for column in columns], metadata=metadata)


KEYS, UNSIGNED = "keys.toml", "unsigned.sha256"  # which files are this repository's own


@dataclass(frozen=True)
class Results:
    """A results folder and what lies where in it. The only place that knows these paths."""

    root: Path

    @classmethod
    def find(cls, given: Path | str | None = None) -> "Results":
        """The folder given, else `LLM_RESULTS`, else the clone's `results/`."""
        chosen = given or os.environ.get("LLM_RESULTS") or CLONE / "results"
        return cls(Path(chosen).expanduser().resolve())

    @property
    def runs(self) -> Path:
        """Where finished run files lie."""
        return self.root / "runs"

    @property
    def grades(self) -> Path:
        """What graders found in stored outputs."""
        return self.root / "grades"

    @property
    def votes(self) -> Path:
        """What people chose of two outputs."""
        return self.root / "votes"

    @property
    def voter(self) -> Path:
        """Digits that stand for whoever votes here; git-ignored."""
        return self.journals / "voter"

    @property
    def journals(self) -> Path:
        """Runs in progress and half-written files: git-ignored, not watched by the site."""
        return self.root / ".journal"

    @property
    def calibration(self) -> Path:
        """What this machine's client was last measured to be; git-ignored."""
        return self.journals / "calibration.json"

    @property
    def loads(self) -> Path:
        """When which model was last loaded on this machine; git-ignored."""
        return self.journals / "loads.json"

    @property
    def keys(self) -> Path:
        """Whose measurements are this repository's: the public keys of its owners."""
        return self.root / KEYS

    @property
    def unsigned(self) -> Path:
        """Hashes of files that are this repository's although none of these keys signed them."""
        return self.root / UNSIGNED

    def table(self, name: str) -> Path:
        """A hand-kept CSV such as `models.csv`: the folder's own, else the clone's."""
        own = self.root / name
        return own if own.exists() else CLONE / "results" / name

    def being_measured(self) -> bool:
        """Whether a collector is at work here: it holds a lock on its journal as long as it lives."""
        from collector.locks import is_locked

        return any(is_locked(journal) for journal in litter.without(self.journals.glob("*.jsonl")))

    def lock(self, kind: int) -> int:
        """A descriptor that holds a lock on the runs: shared while a site is built from them; a run waits for that.

        Of a file, since network shares and FAT disks lock no folders. Raises OSError.
        """
        from collector import locks

        for folder in (self.runs, self.journals):
            folder.mkdir(parents=True, exist_ok=True)
        return locks.held(self.journals / "runs.lock", kind)


CLONE = Path(__file__).resolve().parent.parent
