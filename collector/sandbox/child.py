"""The process that holds the sandbox: `python -m collector.sandbox.child INTERPRETER FOLDER STATUS ARGUMENTS…`.

The guest sees FOLDER/guest as `/w`, read-only, and nothing else of this machine. What became of it is written to the
file handle STATUS, which the guest does not have: where nothing is written there, it was this process that failed.
"""

import json
import os
import resource
import sys
from pathlib import Path

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


if __name__ == "__main__":
    found = run(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[4:])
    sys.stderr.flush()
    os.write(int(sys.argv[3]), json.dumps(found).encode())
