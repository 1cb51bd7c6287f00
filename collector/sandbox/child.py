"""The process that holds the sandbox: `python -m collector.sandbox.child INTERPRETER SOCKET`; see holding.py.

Each line on the socket asks for a program: a folder and arguments, and with them the handles of stdin, stdout, stderr
and status. The guest sees FOLDER/guest as `/w`, read-only, and nothing else of this machine. What became of it is
written to status, which the guest does not have: where nothing is written there, it was the process that failed.
"""

import json
import os
import resource
import socket
import sys
import traceback
from pathlib import Path
from typing import NoReturn

import wasmtime

from collector.sandbox import FUEL_SPENT, TOO_LONG
from collector.sandbox.calls import Calls, WaitedTooLong

FUEL = 20_000_000_000  # about 2 s on the machines tried; endless loops end here, always at the same place
MEMORY = 256 << 20
CPU_S = 6  # should fuel fail to end it, as in calls that take none


def engine() -> wasmtime.Engine:
    """What modules are compiled for; a compiled one loads only into an engine of the same settings."""
    config = wasmtime.Config()
    config.consume_fuel = True
    config.max_wasm_stack = 1 << 20
    return wasmtime.Engine(config)


def run(interpreter: Path, folder: Path, arguments: list[str]) -> dict[str, object]:
    """Run the guest: its exit code, or the limit it ran into."""
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_S, CPU_S + 2))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    made = engine()
    module = wasmtime.Module.deserialize_file(made, str(interpreter))
    store = wasmtime.Store(made)
    store.set_fuel(FUEL)
    store.set_limits(memory_size=MEMORY)
    wasi = wasmtime.WasiConfig()
    wasi.argv = ["python", "-I", "-B", *arguments]
    wasi.inherit_stdin()
    wasi.inherit_stdout()
    wasi.inherit_stderr()
    wasi.preopen_dir(str(folder / "guest"), "/w", fs_mutable=False)
    store.set_wasi(wasi)
    linker = wasmtime.Linker(made)
    linker.define_wasi()
    Calls(store).define(linker)
    start = linker.instantiate(store, module).exports(store)["_start"]
    assert isinstance(start, wasmtime.Func)
    try:
        start(store)
    except wasmtime.ExitTrap as ended:
        return {"exit": int(ended.code)}
    except WaitedTooLong:
        return {"stopped": TOO_LONG}
    except wasmtime.Trap as trap:
        if trap.trap_code == wasmtime.TrapCode.OUT_OF_FUEL:
            return {"stopped": FUEL_SPENT}
        sys.stderr.write(f"RecursionError or worse: the interpreter was ended ({trap.trap_code})\n")
        return {"exit": 1}
    except wasmtime.WasmtimeError as error:  # an exit code that is none
        sys.stderr.write(f"{str(error).strip().splitlines()[-1].strip()}\n")
        return {"exit": 1}
    return {"exit": 0}


def serve(interpreter: Path, asked: socket.socket) -> None:
    """Run each program that is asked for in a copy of this process, and tell how that ended, until nobody asks.

    Nothing is loaded here that starts threads, as an engine does on macOS: a copy of this process would lack them.
    """
    while True:
        line, handles, *_ = socket.recv_fds(asked, 1 << 16, 4)
        while line and not line.endswith(b"\n"):
            line += asked.recv(1 << 16)
        if not line:
            return
        asked.sendall(b"\n")
        copy = os.fork()
        if not copy:
            asked.close()
            _run_here(interpreter, *json.loads(line), handles=handles)
        for handle in handles:
            os.close(handle)
        _, status = os.waitpid(copy, 0)
        asked.sendall(f"{os.waitstatus_to_exitcode(status)}\n".encode())


def _run_here(interpreter: Path, folder: str, *arguments: str, handles: list[int]) -> NoReturn:
    code = 1
    try:
        for number, handle in enumerate(handles[:3]):
            os.dup2(handle, number)
        found = run(interpreter, Path(folder), list(arguments))
        sys.stderr.flush()
        os.write(handles[3], json.dumps(found).encode())
        code = 0
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(code)


if __name__ == "__main__":
    serve(Path(sys.argv[1]), socket.socket(fileno=int(sys.argv[2])))
