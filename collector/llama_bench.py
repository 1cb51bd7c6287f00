"""llama-bench's results (`-o json` or `-o jsonl`) as runs of this project.

It times the engine alone, on made-up tokens, without server, chat template and sampler: its figures stand beside those
of requests (`op bench`), never among them. What the file says of a computer is about the one it was made on.
"""

import hashlib
import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from collector import __version__
from collector.backends import Facts
from collector.backends.openai_chat import QUANTIZATION
from collector.errors import ImportFailed
from collector.privacy import mask

Entry = dict[str, Any]

# Fields by what they are about; every other one is a setting, so that newer versions' settings are kept apart too.
ABOUT_TEST = ("n_prompt", "n_gen", "n_depth", "test_time")
ABOUT_RESULT = ("avg_ns", "stddev_ns", "avg_ts", "stddev_ts", "samples_ns", "samples_ts")
ABOUT_RUN = (
    "build_commit",
    "build_number",
    "cpu_info",
    "gpu_info",
    "model_filename",
    "model_type",
    "model_size",
    "model_n_params",
)
BUILD = (("b", "build_number"), ("", "build_commit"))
WITH_SLASH = ("devices", "tensor_split")  # settings in which a slash separates items; in others it may be a path's
SIZES = {"Small": "_S", "Medium": "_M", "Large": "_L"}
AGAIN = "Run llama-bench again with `-o json`, and import what it prints to stdout."


@dataclass(frozen=True)
class Imported:
    """One run: one model file under one set of settings."""

    facts: Facts
    operations: list[Facts]

    @property
    def run_id(self) -> str:
        """The same for the same content, so that importing twice is seen."""
        return str(self.facts["run_id"])


def read(path: Path) -> list[Imported]:
    """The runs in a file, in its order. Raises ImportFailed."""
    groups: dict[str, list[Entry]] = {}
    for number, entry in enumerate(_entries(path), start=1):
        _check(path, number, entry)
        shared = {name: value for name, value in entry.items() if name not in (*ABOUT_TEST, *ABOUT_RESULT)}
        groups.setdefault(_canonical(shared), []).append(entry)
    return [_run(entries) for entries in groups.values()]


def _entries(path: Path) -> list[Any]:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise ImportFailed(f"{path} cannot be read ({error.strerror}).", "Check the path.") from None
    except UnicodeDecodeError:
        raise ImportFailed(f"{path} is no text.", AGAIN) from None
    try:
        whole = json.loads(text)
        entries = whole if isinstance(whole, list) else [whole]
    except (ValueError, RecursionError):
        try:
            entries = [json.loads(line) for line in text.splitlines() if line.strip()]
        except (ValueError, RecursionError):
            raise ImportFailed(f"{path} is no JSON, or was cut off.", AGAIN) from None
    if not entries:
        raise ImportFailed(f"{path} holds no results.", AGAIN)
    return entries


def _check(path: Path, number: int, entry: Any) -> None:
    def wrong(what: str) -> ImportFailed:
        return ImportFailed(f"{path} is not from llama-bench: its entry {number} {what}.", AGAIN)

    if not isinstance(entry, dict):
        raise wrong("is no object")
    if not isinstance(entry.get("model_filename"), str) or not entry["model_filename"]:
        raise wrong("names no model_filename")
    samples = entry.get("samples_ts")
    if not isinstance(samples, list) or not samples or not all(map(_is_speed, samples)):
        raise wrong("has no list of speeds in samples_ts")
    if not _is_count(entry.get("n_prompt")) or not _is_count(entry.get("n_gen")) or not _test(entry):
        raise wrong("tells no test in n_prompt and n_gen")
    if not _is_count(entry.get("n_depth", 0)):
        raise wrong("has no number in n_depth")
    if _time(entry) is None:
        raise wrong("has no time like 2026-11-22T12:00:00Z in test_time")


def _run(entries: list[Entry]) -> Imported:
    first = entries[0]
    name = _basename(first["model_filename"])
    began = min(filter(None, map(_time, entries)))
    build = (
        "-".join(f"{kind}{first[key]}" for kind, key in BUILD if first.get(key)) or None
    )  # as llama-server writes it
    quantization, source = _quantization(str(first.get("model_type") or ""), name)
    facts: Facts = {
        "collector_version": __version__,
        "run_id": _hash(entries),
        "run_state": "complete",
        "run_started_at": began,
        "chip": _chip(first),
        "server": "llama-bench",
        "server_version": build,
        "runtime": "llama.cpp",
        "runtime_version": build,
        "runtime_proof": "llama-bench is llama.cpp",
        "model_key": name,
        "model_architecture": str(first.get("model_type") or "").partition(" ")[0] or None,
        "model_format": "gguf",
        "model_parameters": first.get("model_n_params"),
        "quantization": quantization,
        "quantization_source": source,
        "file_bytes": first.get("model_size"),
    }
    settings = _settings(first)
    operations = [
        {
            "op_index": index,
            "op": "bench",
            "started_ns": round(((_time(entry) or began) - began).total_seconds()) * 10**9,
            "bench_test": _test(entry),
            "bench_depth": entry.get("n_depth", 0),
            "bench_tps": [float(speed) for speed in entry["samples_ts"]],
            "bench_settings": settings,
        }
        for index, entry in enumerate(entries)
    ]
    return Imported(facts, operations)


def _test(entry: Entry) -> str:
    """As llama-bench prints it: pp512, tg128, pp512+tg128, with @d4096 at that depth; empty for none."""
    parts = [f"{kind}{entry[count]}" for kind, count in (("pp", "n_prompt"), ("tg", "n_gen")) if entry[count]]
    depth = f"@d{entry['n_depth']}" if entry.get("n_depth") else ""
    return "+".join(parts) + depth if parts else ""


def _time(entry: Entry) -> datetime | None:
    try:
        told = datetime.fromisoformat(entry["test_time"])
        return told.astimezone(UTC).replace(tzinfo=None) if told.tzinfo else told
    except (KeyError, TypeError, ValueError, OverflowError):
        return None


def _chip(entry: Entry) -> str | None:
    """Processor and graphics; once where both are the same chip, as on a Mac."""
    told = [entry.get(key) for key in ("cpu_info", "gpu_info")]
    names = [mask(name.strip()) for name in told if isinstance(name, str) and name.strip()]
    if len(names) == 2 and names[1] in names[0]:
        del names[0]
    return " + ".join(names) or None


def _quantization(model_type: str, name: str) -> tuple[str | None, str | None]:
    """From the file's name, which knows more variants, else from llama.cpp's words for it: `Q4_K - Medium`."""
    if found := QUANTIZATION.search(name):
        return found[1].upper(), "model name"
    if told := re.search(r"\b(T?I?Q\d_\w+|BF16|F16|F32|MXFP4)\b(?: - (Small|Medium|Large))?", model_type):
        # the medium one of two bits is called Q2_K
        return told[1] + ("" if told[0] == "Q2_K - Medium" else SIZES.get(told[2], "")), "server"
    return None, None


def _settings(entry: Entry) -> str:
    shown = []
    for name in sorted(set(entry) - {*ABOUT_TEST, *ABOUT_RESULT, *ABOUT_RUN}):
        value = entry[name]
        if isinstance(value, str):
            is_path = re.search(r"[/\\]", value) and name not in WITH_SLASH
            text = "[path]" if is_path else mask(re.sub(r"\s+", "_", value))
        else:
            text = re.sub(r"\s+", "", json.dumps(value)) if isinstance(value, bool | int | float) else ""
        if text:
            shown.append(f"{re.sub(r'[^A-Za-z0-9_]', '_', name)}={text}")
    return " ".join(shown)


def _hash(entries: list[Entry]) -> str:
    content = [_canonical({**entry, "model_filename": _basename(entry["model_filename"])}) for entry in entries]
    return hashlib.sha256("\n".join(sorted(content)).encode("utf-8", "surrogatepass")).hexdigest()[:12]


def _canonical(entry: Entry) -> str:
    return json.dumps(entry, sort_keys=True, ensure_ascii=False)


def _basename(path: str) -> str:
    return re.split(r"[/\\]", path)[-1] or "unknown"


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**31


def _is_speed(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < 1e12
