"""Passes whose texts are judged, after everything that is timed: no limit of a speed measurement cuts them short.

Their requests begin with digits that depend on prompt and repeat alone, so that two configurations answer the same
request, word for word.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from collector.asking import Asker
from collector.backends import Facts
from collector.nonce import shared
from collector.suite import Suite

ALLOWANCE = 8192  # tokens
FIDELITY_REPEATS = 2  # the second shows how far a configuration is from itself: the noise floor of similarity


@dataclass(frozen=True)
class Passes:
    """Which passes a run makes. `earlier`: from run columns, how many quality passes this configuration has stored."""

    quality: bool = False
    fidelity: bool = False
    allowance: int = ALLOWANCE
    earlier: Callable[[Facts], int] = lambda facts: 0

    @property
    def facts(self) -> Facts:
        """Run columns."""
        return {"quality_allowance": self.allowance} if self.quality else {}

    def count(self, suite: Suite) -> int:
        """Requests that they will send."""
        return len(suite.prompts) * (self.quality + FIDELITY_REPEATS * self.fidelity)

    def ask(self, asker: Asker, suite: Suite, sampling: Mapping[str, Any]) -> None:
        """Send them: quality as timed but for the limit; fidelity at temperature 0, with the prompts' own limits."""
        if self.quality:
            repeat = 1 + self.earlier(asker.recorder.facts)
            for prompt in suite.prompts:
                limit = prompt.max_tokens + self.allowance
                digits = shared(prompt.sha256, repeat)
                asker.ask("quality", prompt, digits, repeat, dict(sampling), limit)
        if self.fidelity:
            greedy = {**sampling, "temperature": 0.0}
            for repeat in range(1, FIDELITY_REPEATS + 1):
                for prompt in suite.prompts:
                    asker.ask("fidelity", prompt, shared(prompt.sha256, 0), repeat, greedy)
