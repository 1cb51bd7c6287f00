"""The embedded engine's own process: `python -m collector.embedded_server MODEL CONTEXT`.

Prints one line, the address, when the model is loaded; ends when its standard input closes, so it never outlives
the collector that started it. One thread: the client needs the other core, or it slows what it measures.
"""

import sys


def main() -> None:
    """Load the model, say where, wait."""
    import xllamacpp

    model, context = sys.argv[1], int(sys.argv[2])
    params = xllamacpp.CommonParams()
    params.model.path = model
    params.n_ctx = context
    params.n_parallel = 1
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = 1
    params.hostnames = ["127.0.0.1"]
    params.port = 0
    server = xllamacpp.Server(params)
    sys.stdout.write(f"{server.listening_address}\n")
    sys.stdout.flush()
    sys.stdin.read()


if __name__ == "__main__":
    main()
