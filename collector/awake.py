"""Keeps the machine from going to sleep while something is measured."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from collector import children


def command(platform: str = sys.platform) -> list[str]:
    """What to run meanwhile on this system; its first word is what `kept_awake_by` says."""
    if platform == "darwin":
        # against idle sleep, disk sleep and, on mains, any sleep; -w: ends with us, also when we are killed
        return ["caffeinate", "-i", "-m", "-s", "-w", str(os.getpid())]
    # holds the lock as long as its child lives, which ends when the pipe from us closes
    return ["systemd-inhibit", "--what=idle:sleep", "--who=collect", "--why=measuring", "--mode=block", "cat"]


@contextmanager
def keep() -> Iterator[Callable[[], str | None]]:
    """Says, when asked, what keeps the machine awake until now; None where nothing of the kind is there or works."""
    asked = command()
    if shutil.which(asked[0]) is None:
        yield lambda: None
        return
    quiet = subprocess.DEVNULL
    process = subprocess.Popen(
        asked,
        stdin=subprocess.PIPE,
        stdout=quiet,
        stderr=quiet,
        env=children.environment(),
        start_new_session=True,
    )
    try:
        # without a service to ask, an inhibitor ends at once
        yield lambda: asked[0] if process.poll() is None else None
    finally:
        assert process.stdin is not None
        process.stdin.close()
        process.terminate()
        process.wait()
