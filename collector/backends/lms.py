"""The `lms` command, where it is found: the only way to load with `--parallel 1`, and to see LM Link devices."""

import contextlib
import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from collector import children

LOAD_TIMEOUT_S, UNLOAD_TIMEOUT_S = 3600, 120


def find() -> str | None:
    """The command's path, from PATH or LM Studio's own folder."""
    own = (home / "bin" / "lms" for home in _homes())
    return shutil.which("lms") or next((str(path) for path in own if path.exists()), None)


def _homes() -> Iterator[Path]:
    """Where LM Studio may keep its own: as its pointer says, where it is by default, and where it was before 0.3.6."""
    home = Path.home()
    with contextlib.suppress(OSError, ValueError):
        if named := (home / ".lmstudio-home-pointer").read_text(encoding="utf-8").strip():
            yield Path(named)
    yield home / ".lmstudio"
    yield home / ".cache" / "lm-studio"


def loaded(command: str) -> list[dict[str, Any]]:
    """`lms ps --json`: what is loaded, with device, size and slots; empty when it does not answer."""
    try:
        done = _run([command, "ps", "--json"], timeout=60, check=True)
        listed = json.loads(done.stdout)
    except (OSError, subprocess.SubprocessError, ValueError, RecursionError):
        return []
    return [entry for entry in listed if isinstance(entry, dict)] if isinstance(listed, list) else []


def unload(command: str, instance: str) -> None:
    """`lms unload`, for servers whose HTTP API cannot; whether it worked is seen in the list of loaded models."""
    with contextlib.suppress(OSError, subprocess.SubprocessError):
        _run([command, "unload", instance], timeout=UNLOAD_TIMEOUT_S)


def load(command: str, key: str, context: int | None) -> str | None:
    """Load with one slot; None when it worked, else what the command said."""
    # -y takes the first match instead of opening a menu: the caller checks what was loaded.
    length = ["--context-length", str(context)] if context else []
    wanted = [command, "load", key, "--parallel", "1", *length, "-y"]
    try:
        done = _run(wanted)
    except (OSError, subprocess.SubprocessError) as error:
        return str(error)
    return None if done.returncode == 0 else (done.stderr.strip() or done.stdout.strip() or "lms load failed")


def _run(command: list[str], timeout: int = LOAD_TIMEOUT_S, check: bool = False) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command, capture_output=True, text=True, timeout=timeout, check=check, env=children.environment()
    )
