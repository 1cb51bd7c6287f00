"""Which passes follow the timed requests, and which repeat of the quality pass comes next."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collector.backends import Facts
    from collector.quality import Passes
    from collector.schema import Results

EARLIER = """
    select coalesce(max(repeat), 0) as count
    from raw_facts
    where op = 'quality' and chip is not distinct from $chip and memory_bytes is not distinct from $memory_bytes
        and server is not distinct from $server and runtime is not distinct from $runtime
        and model_key is not distinct from $model_key and quantization is not distinct from $quantization
"""


def wanted(results: "Results", quality: bool, fidelity: bool, allowance: int | None = None) -> "Passes":
    """The passes of a run; each quality pass of a configuration asks its next repeat, so that texts add up."""
    from collector.quality import ALLOWANCE, Passes

    def earlier(facts: "Facts") -> int:
        from collector.commands import _ask

        return int(_ask.about(results, EARLIER, facts)[0]["count"])

    return Passes(quality, fidelity, ALLOWANCE if allowance is None else allowance, earlier)
