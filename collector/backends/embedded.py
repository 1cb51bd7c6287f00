"""A real llama.cpp engine from PyPI (xllamacpp) in a process of its own, spoken to over HTTP like any other."""

import importlib.metadata
import importlib.util
import subprocess
import sys
from pathlib import Path

import httpx

from collector import children
from collector.backends import Facts
from collector.backends.openai_chat import OpenAIChat
from collector.errors import EngineFailed


class Embedded(OpenAIChat):
    """Starts the engine with one GGUF file, and ends it."""

    loads = True

    def __init__(self, client: httpx.Client, model: Path, context: int) -> None:
        """Raises EngineFailed when the engine is not installed or the file is no GGUF."""
        super().__init__(client)
        if importlib.util.find_spec("xllamacpp") is None:
            raise EngineFailed(
                "The embedded engine is not installed.", "Run `pip install -e '.[embedded]'` in the clone."
            )
        if not _is_gguf(model):
            raise EngineFailed(
                f"{model.name} is not a GGUF file.", "Pass the path of one with --model, or leave it out."
            )
        self.file = model.resolve()
        self.context = context
        self._process: subprocess.Popen[str] | None = None

    def planned(self) -> Facts:
        """What the file itself tells."""
        return {
            "server": "llama-server",
            "server_place": "local",
            "runtime": "llama.cpp",
            "model_key": self.file.name,
            "model_format": "gguf",
            "file_bytes": self.file.stat().st_size,
        }

    def load(self) -> Facts:
        """Start the process and wait until the model is loaded, or the process has ended."""
        self._process = subprocess.Popen(
            [sys.executable, "-m", "collector.embedded_server", str(self.file), str(self.context)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env=children.environment(),
            start_new_session=True,  # Ctrl-C is for the collector, which then ends the engine itself
        )
        assert self._process.stdout is not None
        address = self._process.stdout.readline().strip()
        if not address:
            return {"error_kind": "load", "error_detail": f"the engine ended while loading {self.file.name}"}
        self.client.base_url = httpx.URL(address)
        self.client.headers.pop("Authorization", None)  # a token for another server
        return {}

    def describe(self) -> Facts:
        """As llama-server describes itself, with the package's version, which the server does not know."""
        version = f"xllamacpp {importlib.metadata.version('xllamacpp')}"
        return {**super().describe(), "server_version": version, "runtime_version": version}

    def unload(self) -> Facts:
        """End the process; its standard input closing is the sign."""
        if self._process is None:
            return {}
        process, self._process = self._process, None
        assert process.stdin is not None and process.stdout is not None
        process.stdin.close()
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        process.stdout.close()
        return {}

    def engine_pid(self) -> int | None:
        """The engine's own process."""
        return self._process.pid if self._process else None


def _is_gguf(path: Path) -> bool:
    if not path.is_file():
        return False
    with path.open("rb") as file:
        return file.read(4) == b"GGUF"
