"""Is the machine fit to measure, and is what is loaded what was meant?

FAIL is only what makes the numbers wrong; it stops the run unless forced, and then stands in every row. Everything
else is WARN: measured, flagged, and the later comparison decides. What this system cannot check says so.

    before loading      free_memory        FAIL   less than the model needs at this context
                        wired_limit        WARN   the model needs more than 95 % of what Metal lets the GPU hold
        native             WARN   this Python runs under Rosetta
                        disk               WARN   less than 20 GB free for results
                        second_model       FAIL   another model is loaded beside it
                        site_server        WARN   mkdocs serve runs and polls files
                        cpu_busy           WARN   more than a quarter of the cores is busy
                        gpu_busy           WARN   more than 5 %
                        large_applications WARN   another program holds more than 4 GB
                        memory_pressure    WARN   above normal
                        thermal_pressure   WARN   above nominal
                        power              WARN   on battery, or in low power mode
    with it loaded      runtime            FAIL   the engine contradicts the model's format; WARN: not proven
                        variant            FAIL   another quantization than asked for
                        served_by          FAIL   another device answers
                        context            WARN   effective context below the plan's 131,072
                        parallel           WARN   more than one slot
                        seed               WARN   the same request twice gave two texts
    while measuring     swap               FAIL   swap grew by more than 500 MB while the model loaded
"""

from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

import psutil

from collector import environment, processes
from collector.backends import Facts
from collector.environment import Reading
from collector.memory import metal
from collector.processes import looked_into

PLAN_CONTEXT = 131_072
SWAP_GROWTH_BYTES = 500_000_000
DISK_BYTES = 20_000_000_000
LARGE_BYTES = 4_000_000_000
NATIVE = "this Python runs under Rosetta: install one for Apple silicon, then run scripts/setup again"
DEFAULT_SHARE = 0.75  # of the memory, which the GPU may hold by default on Macs before macOS 26, and more since


class Finding(TypedDict):
    """One check: `verdict` is pass, warn, fail or unknown; `detail` says what was seen, and what helps."""

    name: str
    verdict: str
    detail: str


@dataclass(frozen=True)
class Need:
    """What loading a model takes: weights on disk, and its cache for one token of context, where these are known."""

    file_bytes: int | None
    context: int
    kv_bytes_per_token: int | None

    def bytes(self) -> int | None:
        """File x 1.02 + KV cache at this context + buffers of 3 %, at least 4 GB; None without a file size."""
        if self.file_bytes is None:
            return None
        cache = (self.kv_bytes_per_token or 0) * self.context
        return round(self.file_bytes * 1.02 + cache + max(4e9, 0.03 * self.file_bytes))


def before(results: Path, machine: Facts, need: Need | None, second_models: list[str]) -> list[Finding]:
    """The checks that need no loaded model. `need` is None where nothing is to be loaded."""
    return [
        _free_memory(need),
        _wired_limit(need, machine),
        _expect("native", environment.translation(), "native", NATIVE),
        _disk(results),
        _second_model(second_models),
        _site_server(),
        _limit("cpu_busy", environment.cpu_busy_percent(), 25, "% of the cores busy", "close what is at work"),
        _limit("gpu_busy", environment.gpu_busy_percent(), 5, "% of the GPU busy", "close what draws"),
        _large_applications(),
        _expect("memory_pressure", environment.memory_pressure(), "normal", "close other applications"),
        _expect("thermal_pressure", environment.thermal_pressure(), "nominal", "let the machine cool down"),
        _power(),
    ]


def of_loaded(facts: Facts) -> list[Finding]:
    """The checks of what the server says it has loaded."""
    return [_runtime(facts), _variant(facts), _served_by(facts), _context(facts), _parallel(facts)]


def of_seed(honored: bool | None) -> Finding:
    """Whether the same request gave the same text."""
    if honored is None:
        return _finding("seed", "unknown", "the warm-up failed")
    if honored:
        return _finding("seed", "pass", "the same request gave the same text")
    return _finding("seed", "warn", "not honored: the same request gave two texts; repeats are independent samples")


def of_swap(grown_bytes: int | None) -> Finding:
    """Whether loading pushed other memory out; None where swap could not be read before and after."""
    if grown_bytes is None:
        return _finding("swap", "unknown", "the kernel did not tell")
    if grown_bytes > SWAP_GROWTH_BYTES:
        return _finding("swap", "fail", f"swap grew by {_gb(grown_bytes)} while loading; close other applications")
    return _finding("swap", "pass", f"swap grew by {_gb(max(grown_bytes, 0))}")


def failures(findings: list[Finding]) -> list[Finding]:
    """Those that stop a run."""
    return [finding for finding in findings if finding["verdict"] == "fail"]


def _free_memory(need: Need | None) -> Finding:
    reading = environment.free_memory_bytes()
    if not isinstance(reading.value, int | float):
        return _finding("free_memory", "unknown", reading.reason or "not read")
    available = reading.value
    if need is None:
        return _finding("free_memory", "pass", f"{_gb(available)} free; nothing is to be loaded")
    wanted, known = need.bytes(), "" if need.kv_bytes_per_token else " without its cache, whose size is not known"
    if wanted is None:
        return _finding("free_memory", "unknown", f"{_gb(available)} free; the model's size is not known")
    seen = f"{_gb(available)} free, {_gb(wanted)} needed{known} at a context of {need.context:,}"
    if available < wanted:
        return _finding("free_memory", "fail", f"{seen}; close applications or load with a shorter context")
    return _finding("free_memory", "pass", seen)


def _wired_limit(need: Need | None, machine: Facts) -> Finding:
    """By Metal; where that does not tell, by the limit that was set, or what is usual where none was."""
    limit_mb, memory = machine.get("wired_limit_mb"), machine.get("memory_bytes")
    if limit_mb is None:
        return _finding("wired_limit", "unknown", "only macOS has a wired limit")
    told = metal.working_set()
    if told is not None:
        most, seen = 0.95 * told, f"Metal lets the GPU hold {_gb(told)}"
    elif limit_mb:
        most, seen = 0.95 * limit_mb * 2**20, f"{limit_mb:,} MiB"
    elif memory is not None:
        most, seen = DEFAULT_SHARE * memory, f"Metal does not tell; the default is often {_gb(DEFAULT_SHARE * memory)}"
    else:
        return _finding("wired_limit", "unknown", "neither Metal nor the kernel told")
    wanted = need.bytes() if need else None
    if need and wanted is None:
        return _finding("wired_limit", "unknown", f"{seen}; the model's size is not known")
    if wanted is not None and wanted > most:
        return _finding("wired_limit", "warn", f"{seen}, {_gb(wanted)} needed; raise iogpu.wired_limit_mb")
    return _finding("wired_limit", "pass", seen)


def _disk(results: Path) -> Finding:
    existing = next(folder for folder in (results, *results.parents) if folder.exists())
    free = psutil.disk_usage(str(existing)).free
    verdict = "pass" if free >= DISK_BYTES else "warn"
    return _finding("disk", verdict, f"{_gb(free)} free for results")


def _second_model(others: list[str]) -> Finding:
    if others:
        return _finding("second_model", "fail", f"loaded beside it: {', '.join(others)}; unload all but one")
    return _finding("second_model", "pass", "no other model is loaded")


def _site_server() -> Finding:
    for process in processes.every():
        command = looked_into(process.cmdline) or []
        if "serve" in command and any(part.endswith("mkdocs") for part in command[:3]):
            return _finding("site_server", "warn", "mkdocs serve polls files meanwhile; stop it for final figures")
    return _finding("site_server", "pass", "no mkdocs serve")


def _large_applications() -> Finding:
    sized = [(process, looked_into(process.memory_info)) for process in processes.every()]
    large = [
        (info.rss, _category(looked_into(process.name) or ""))
        for process, info in sized
        if info and info.rss > LARGE_BYTES
    ]
    others = sorted((kind, size) for size, kind in large if kind != "engine")
    if not others:
        return _finding("large_applications", "pass", "none above 4 GB beside the engine")
    seen = ", ".join(f"{kind} ({_gb(size)})" for kind, size in others)
    return _finding("large_applications", "warn", f"{seen}; close what is not needed")


def _category(name: str) -> str:
    """A process by kind: its name could tell about the person."""
    kinds = {
        "engine": ("lm studio", "llama", "node", "llmster", "python", "ollama", "mlx"),
        "browser": ("chrome", "chromium", "safari", "firefox", "edge", "webkit", "arc"),
        "virtual machine": ("qemu", "docker", "virtual", "parallels", "vmware", "orbstack"),
        "development": ("code", "xcode", "idea", "pycharm", "java", "clang"),
    }
    found = (kind for kind, names in kinds.items() if any(part in name.lower() for part in names))
    return next(found, "other")


def _power() -> Finding:
    source, mode = environment.power_source(), environment.power_mode()
    if source.value == "battery" or mode.value == "low":
        return _finding("power", "warn", f"source {source.value}, mode {mode.value}; plug in, leave low power mode")
    if source.value is None and mode.value is None:
        return _finding("power", "unknown", f"{source.reason}; {mode.reason}")
    return _finding("power", "pass", f"source {source.value or 'unknown'}, mode {mode.value or 'unknown'}")


def _runtime(facts: Facts) -> Finding:
    runtime, proof = facts.get("runtime"), facts.get("runtime_proof")
    versions = f"{facts.get('runtime_version') or 'version unknown'}, server {facts.get('server_version') or 'unknown'}"
    if proof and str(proof).startswith("contradicted"):
        return _finding("runtime", "fail", f"{runtime}: {proof}; load the model again in LM Studio")
    if runtime and proof:
        return _finding("runtime", "pass", f"{runtime}: {proof}; {versions}")
    return _finding("runtime", "warn", f"{runtime or 'unknown'}, not proven: the server names no engine")


def _variant(facts: Facts) -> Finding:
    asked = str(facts.get("model_requested") or "").partition("@")[2]
    got = str(facts.get("quantization") or "")
    if asked and got and asked.lower() != got.lower():
        return _finding("variant", "fail", f"{asked} was asked for, {got} answers; unload it and load again")
    return _finding("variant", "pass", got or "the server does not tell its quantization")


def _served_by(facts: Facts) -> Finding:
    if facts.get("served_by"):
        return _finding("served_by", "fail", f"{facts['served_by']}: load the model on this machine")
    return _finding("served_by", "pass", "this device, as far as the server tells")


def _context(facts: Facts) -> Finding:
    effective, asked = facts.get("context_effective"), facts.get("context_requested")
    if effective is None:
        return _finding("context", "unknown", "the server does not tell its context length")
    seen = f"{effective:,} tokens" + (f", {asked:,} asked for" if asked and asked != effective else "")
    if effective < PLAN_CONTEXT:
        return _finding("context", "warn", f"{seen}: below the plan's {PLAN_CONTEXT:,}; load with a longer context")
    return _finding("context", "pass", seen)


def _parallel(facts: Facts) -> Finding:
    slots = facts.get("parallel")
    if slots is None:
        return _finding("parallel", "unknown", "the server does not tell its slots")
    if slots > 1:
        return _finding("parallel", "warn", f"{slots} slots; `lms load --parallel 1` loads with one")
    return _finding("parallel", "pass", "one slot")


def _limit(name: str, reading: Reading, most: float, unit: str, remedy: str) -> Finding:
    if not isinstance(reading.value, int | float):
        return _finding(name, "unknown", reading.reason or "not read")
    seen = f"{reading.value:.0f} {unit}"
    return _finding(name, "warn", f"{seen}; {remedy}") if reading.value > most else _finding(name, "pass", seen)


def _expect(name: str, reading: Reading, normal: str, remedy: str) -> Finding:
    if reading.value is None:
        return _finding(name, "unknown", reading.reason or "not read")
    if reading.value != normal:
        return _finding(name, "warn", f"{reading.value}; {remedy}")
    return _finding(name, "pass", normal)


def _finding(name: str, verdict: str, detail: str) -> Finding:
    return {"name": name, "verdict": verdict, "detail": detail}


def _gb(count: float) -> str:
    return f"{count / 1e9:.1f} GB"
