"""The embedded engine's own process: `python -m collector.embedded_server MODEL CONTEXT`.

Prints one line, the address, when the model is loaded; ends when its standard input closes, so it never outlives
the collector that started it. One thread: the client needs the other core, or it slows what it measures.
"""

import contextlib
import os
import sys
import threading


def main() -> None:
    """Load the model, say where, wait."""
    import xllamacpp

    watcher = threading.Thread(target=_end_with_the_collector, daemon=True)
    watcher.start()
    model, context = sys.argv[1], int(sys.argv[2])
    params = xllamacpp.CommonParams()
    params.model.path = model
    params.n_ctx = context
    params.n_parallel = 1
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = 1
    params.hostnames = ["127.0.0.1"]
    params.port = 0
    server = xllamacpp.Server(params)
    with contextlib.suppress(BrokenPipeError):  # the collector is gone already
        sys.stdout.write(f"{server.listening_address}\n")
        sys.stdout.flush()
    watcher.join()


def _end_with_the_collector() -> None:
    sys.stdin.read()
    os._exit(0)  # the engine's own way out may wait for its threads for ever: seen once in 120 kills


if __name__ == "__main__":
    main()
