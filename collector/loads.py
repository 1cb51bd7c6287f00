"""Which models were loaded here since the machine was started: their files are probably still in the file cache.

Only `collect`'s own loads are known, by a file beside the journals; without administrator's rights the cache can
neither be read nor emptied, so cold and warm stay likely, not certain.
"""

import json
from contextlib import suppress
from datetime import UTC

import psutil

from collector import measure
from collector.backends import Facts
from collector.schema import Results


def name(model: Facts) -> str:
    """What tells one file from another: publisher, key and quantization."""
    return "/".join(str(model.get(part)) for part in ("model_publisher", "model_key", "quantization"))


def is_repeat(results: Results, model: Facts) -> bool:
    """Whether this model was loaded here since the machine was started."""
    loaded = _read(results).get(name(model))
    return isinstance(loaded, int | float) and loaded > psutil.boot_time()


def remember(results: Results, model: Facts) -> None:
    """It is loaded now."""
    now = measure.utc_now().replace(tzinfo=UTC).timestamp()
    kept = {other: at for other, at in _read(results).items() if at > psutil.boot_time()}
    with suppress(OSError):  # a full disk must not end the run whose model has just been loaded
        results.loads.write_text(json.dumps({**kept, name(model): now}) + "\n", encoding="utf-8")


def _read(results: Results) -> dict[str, float]:
    try:
        read = json.loads(results.loads.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return {key: at for key, at in read.items() if isinstance(at, int | float)} if isinstance(read, dict) else {}
