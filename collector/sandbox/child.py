"""The process that holds the sandbox: `python -m collector.sandbox.child INTERPRETER FOLDER ARGUMENTS…`.

The guest sees FOLDER/guest as `/w`, read-only, and nothing else of this machine.
"""

import resource
import sys
from pathlib import Path

import wasmtime

from collector.sandbox import FUEL_CODE

FUEL = 20_000_000_000  # about 2 s on the machines tried; endless loops end here, always at the same place
MEMORY = 256 << 20
CPU_S = 9  # should fuel fail to end it


def engine() -> wasmtime.Engine:
    """What modules are compiled for; a compiled one loads only into an engine of the same settings."""
    config = wasmtime.Config()
    config.consume_fuel = True
    config.max_wasm_stack = 1 << 20
    return wasmtime.Engine(config)


def run(interpreter: Path, folder: Path, arguments: list[str]) -> int:
    """Run the guest; its exit code."""
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_S, CPU_S))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    made = engine()
    module = wasmtime.Module.deserialize_file(made, str(interpreter))
    store = wasmtime.Store(made)
    store.set_fuel(FUEL)
    store.set_limits(memory_size=MEMORY)
    wasi = wasmtime.WasiConfig()
    wasi.argv = ["python", "-I", "-B", *arguments]
    wasi.stdin_file = str(folder / "stdin")
    wasi.inherit_stdout()
    wasi.inherit_stderr()
    wasi.preopen_dir(str(folder / "guest"), "/w", fs_mutable=False)
    store.set_wasi(wasi)
    linker = wasmtime.Linker(made)
    linker.define_wasi()
    try:
        start = linker.instantiate(store, module).exports(store)["_start"]
        assert isinstance(start, wasmtime.Func)
        start(store)
    except wasmtime.ExitTrap as ended:
        return int(ended.code)
    except wasmtime.Trap as trap:
        return FUEL_CODE if trap.trap_code == wasmtime.TrapCode.OUT_OF_FUEL else _told(trap)
    except wasmtime.WasmtimeError as error:  # an exit code that is none
        sys.stderr.write(f"{str(error).strip().splitlines()[-1].strip()}\n")
        return 1
    return 0


def _told(trap: wasmtime.Trap) -> int:
    sys.stderr.write(f"RecursionError or worse: the interpreter was ended ({trap.trap_code})\n")
    return 1


if __name__ == "__main__":
    sys.stdout.flush()
    sys.exit(run(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3:]))
