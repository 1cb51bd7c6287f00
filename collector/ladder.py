"""The arithmetic of a context ladder: which rungs, how many characters, how long it will take."""

import math
from dataclasses import dataclass, field

RUNGS = tuple(1024 * k for k in (4, 16, 32, 64, 96, 128, 160, 192, 256))
SHARES = (0.125, 0.25, 0.5, 0.75)  # of a context too small for those
RESERVE = 2048  # tokens left for template, answer and reasoning
BEYOND = 1 / 16  # above the effective context, to see it refuse
WARY = 1.3  # on a forecast from fewer than three rungs


def reserve(context: int) -> int:
    """Tokens of a context that a prompt must leave free."""
    return min(RESERVE, context // 8)


def rungs(context: int) -> list[int]:
    """Prompt lengths to try within a context, ascending; the last one fills it, less the reserve."""
    top = context - reserve(context)
    steps = RUNGS if top >= RUNGS[1] else [int(top * share) // 64 * 64 for share in SHARES]
    return [rung for rung in steps if rung < 0.95 * top] + [top]


def beyond(context: int) -> int:
    """A prompt length that the context cannot hold."""
    # a short prompt's tokens are known less surely, see context.is_accepted
    return context + max(int(context * BEYOND), 64 + int(4 * math.sqrt(context)))


def between(passed: int, failed: int) -> int | None:
    """The rung that halves a bracket; None when it is narrow enough."""
    return (passed + failed) // 2 if failed - passed > max(512, failed // 16) else None


@dataclass
class Scale:
    """Tokens of a prompt from its characters: a fixed part for template and nonce, and a rate, refined as seen."""

    seen: list[tuple[int, int]] = field(default_factory=list)  # characters, tokens

    def learn(self, characters: int, tokens: int) -> None:
        """A prompt of so many characters had so many tokens."""
        self.seen.append((characters, tokens))

    def is_known(self) -> bool:
        """Whether longer prompts were seen to have more tokens."""
        return len({characters for characters, _ in self.seen}) > 1 and min(self.seen)[1] < max(self.seen)[1]

    def tokens(self, characters: int) -> int:
        """Expected tokens, by the line through the shortest prompt and all others."""
        least_characters, least_tokens = min(self.seen)
        more = [(c - least_characters, t - least_tokens) for c, t in self.seen if c > least_characters]
        rate = sum(t for _, t in more) / sum(c for c, _ in more)
        return round(least_tokens + rate * (characters - least_characters))

    def characters(self, tokens: int) -> int:
        """How long a prompt of so many tokens must be."""
        low, high = 0, 1
        while self.tokens(high) < tokens:
            high *= 2
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if self.tokens(middle) < tokens else (low, middle)
        return high


def forecast(seen: list[tuple[int, float]], depth: int) -> float | None:
    """Seconds a request of this depth will take, from (depth, seconds) of earlier ones; None from none.

    Least squares of a + b·d + c·d² from three depths on, no coefficient below zero; before that the latest rate,
    with a margin, since attention grows faster than the prompt.
    """
    if not seen:
        return None
    if len({d for d, _ in seen}) < 3:
        last, seconds = max(seen)
        return WARY * seconds * depth / last
    for powers in ((0, 1, 2), (1, 2), (0, 1), (1,)):
        factors = _least_squares(seen, powers)
        if factors is not None and all(factor >= 0 for factor in factors):
            return math.fsum(factor * depth**power for factor, power in zip(factors, powers, strict=True))
    return max(seconds for _, seconds in seen) * depth / max(d for d, _ in seen)


def _least_squares(seen: list[tuple[int, float]], powers: tuple[int, ...]) -> list[float] | None:
    """Factors of the powers of depth, by the normal equations; None where they have no single solution."""
    unit = max(d for d, _ in seen)  # depths of 1 at most keep the equations well scaled
    points = [(d / unit, seconds) for d, seconds in seen]
    rows = [[sum(x ** (p + q) for x, _ in points) for q in powers] + [sum(y * x**p for x, y in points)] for p in powers]
    size = len(powers)
    for pivot in range(size):
        best = max(range(pivot, size), key=lambda row: abs(rows[row][pivot]))
        if abs(rows[best][pivot]) < 1e-12:
            return None
        rows[pivot], rows[best] = rows[best], rows[pivot]
        for row in range(size):
            if row != pivot:
                share = rows[row][pivot] / rows[pivot][pivot]
                rows[row] = [a - share * b for a, b in zip(rows[row], rows[pivot], strict=True)]
    return [rows[row][size] / rows[row][row] / unit ** powers[row] for row in range(size)]
