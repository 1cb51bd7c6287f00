"""atheris: bytes as a stream, kept and changed where they take the reading code a way that no others took."""

import sys
import tempfile
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["collector.sse", "collector.thinking", "collector.backends"]):
    from collector import record
    from tests.garbling import broken_rules
    from tests.read_streams import READER, recorded, written


def read(raw: bytes) -> None:
    """The first byte says how long the pieces are."""
    size = raw[0] + 1 if raw else 1
    row = record.of_exchange(READER.read([(1, raw[at : at + size]) for at in range(1, len(raw), size)]))
    assert not broken_rules(row), broken_rules(row)


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="fuzz-") as name:
        for number, stream in enumerate((*recorded().values(), *(written(number) for number in range(8)))):
            lines = "".join(f"data: {data}\n\n" for data in stream)
            (Path(name) / str(number)).write_bytes(b"\xff" + lines.encode())
        limits = [f"-max_total_time={sys.argv[1]}", "-timeout=5", "-max_len=16384", "-rss_limit_mb=4096", "-seed=1"]
        atheris.Setup([sys.argv[0], name, *limits, "-print_final_stats=1"], read)
        atheris.Fuzz()


if __name__ == "__main__":
    main()
