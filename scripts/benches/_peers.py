"""Other clients, run as their users run them: what each says of its own requests, and what it used meanwhile."""

import http.server
import json
import os
import re
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from collector.haystack import SOURCE
from scripts.benches._engine import Engine, Truth


@dataclass(frozen=True)
class Said:
    """What a client reports of one request; None where it does not."""

    decode_tps: float | None
    ttft_ms: float | None


@dataclass(frozen=True)
class Result:
    """One client: its requests beside the server's truth, and its own CPU time and peak resident memory."""

    client: str
    said: list[Said]
    truths: list[Truth]
    cpu_s: float
    rss_mb: float


def peers(engine: Engine, venv: Path, tokenizer: Path | None, count: int, prompt: int, tokens: int) -> Iterator[Result]:
    """Those that are installed in this environment, one after the other."""
    with tempfile.TemporaryDirectory() as folder, _book() as book:
        out = Path(folder)
        url = f"{engine.url}/v1"
        commands = {
            "llama-benchy": f"--base-url {url} --model m --tokenizer {tokenizer} --book-url {book} --pp {prompt} "
            f"--tg {tokens} --exact-tg --runs {count} --no-cache --latency-mode api --skip-coherence "
            f"--format json --save-result {out}/benchy.json",
            "frugal-llm": f"bench --url {url} --model m -n {count} --repeats 1 --warmup 1 --max-tokens {tokens} "
            f"--prompt-tokens {prompt} --out {out}/frugal",
            "asiai": f"bench --url {engine.url} -m m --runs {count} -p code --export {out}/asiai.json",
        }
        readers = {"llama-benchy": _benchy, "frugal-llm": _frugal, "asiai": _asiai}
        for name, arguments in commands.items():
            program = venv / "bin" / name
            if not program.exists() or (name == "llama-benchy" and tokenizer is None):
                continue
            engine.truths()
            cpu_s, rss_mb = _run([str(program), *arguments.split()])
            said = readers[name](out)
            yield Result(f"{name} {_version(venv, name)}", said, engine.truths()[-len(said) :], cpu_s, rss_mb)


def _run(command: list[str]) -> tuple[float, float]:
    quiet = subprocess.DEVNULL
    process = subprocess.Popen(command, stdout=quiet, stderr=quiet, env={**os.environ, "HF_HUB_OFFLINE": "1"})
    highest = 0.0
    while not os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT | os.WNOHANG):
        highest = max(highest, _highest_mb(process.pid))
        time.sleep(0.5)
    _, status, used = os.wait4(process.pid, 0)
    if status:
        raise RuntimeError(f"{command[0]} ended with {status}")
    return used.ru_utime + used.ru_stime, highest


def _highest_mb(pid: int) -> float:
    """Peak resident memory so far. What `wait4` says of it holds the memory of the process that started the client."""
    try:
        found = re.search(r"VmHWM:\s*(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    except OSError:
        return 0.0
    return int(found[1]) * 1024 / 1e6 if found else 0.0


def _version(venv: Path, name: str) -> str:
    asked = f"import importlib.metadata as m; print(m.version({name!r}))"
    return subprocess.run([str(venv / "bin" / "python"), "-c", asked], capture_output=True, text=True).stdout.strip()


def _benchy(out: Path) -> list[Said]:
    [told] = json.loads((out / "benchy.json").read_text())["benchmarks"]
    pairs = zip(told["tg_req_throughput"]["values"], told["e2e_ttft"]["values"], strict=True)
    return [Said(tps, ttft) for tps, ttft in pairs]


def _frugal(out: Path) -> list[Said]:
    [file] = (out / "frugal").glob("*.json")
    requests = [request for run in json.loads(file.read_text())["runs"] for request in run["requests"]]
    return [Said(1000 / request["itl_ms"], request["ttft_ms"]) for request in requests]


def _asiai(out: Path) -> list[Said]:
    [told] = json.loads((out / "asiai.json").read_text())["benchmark"]["engines"].values()
    return [Said(run["tok_per_sec"], run["ttft_ms"]) for run in told["raw_runs"]]


@contextmanager
def _book() -> Iterator[str]:
    """A text over HTTP, which llama-benchy wants."""

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *args: object) -> None: ...

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(SOURCE.parent)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/{SOURCE.name}"
    finally:
        server.shutdown()
        server.server_close()
