"""How alike two texts are, in characters, so that Chinese needs no splitting into words. Similar is not good.

Sources: first divergence after arXiv 2311.01544; normalized Levenshtein similarity; chrF2 after Popović 2015 (character
n-grams of 1 to 6, recall counted twice), without blanks.
"""

from collections import Counter
from collections.abc import Callable

from rapidfuzz.distance import Levenshtein, Prefix

VERSION = 1
ORDER, BETA = 6, 2.0


def first_divergence(text: str, reference: str) -> float:
    """The beginning that both share, as a share of the shorter one: 1 if one begins with the other."""
    shorter = min(len(text), len(reference))
    return Prefix.similarity(text, reference) / shorter if shorter else float(text == reference)


def edit_similarity(text: str, reference: str) -> float:
    """1 − the edits that make one of the other ÷ characters of the longer one."""
    return float(Levenshtein.normalized_similarity(text, reference))


def chrf(text: str, reference: str) -> float:
    """Mean F2 of character n-grams, 0 to 1; orders that neither text is long enough for are left out."""
    own, wanted = "".join(text.split()), "".join(reference.split())
    scores = []
    for size in range(1, ORDER + 1):
        a, b = _grams(own, size), _grams(wanted, size)
        if not a and not b:
            continue
        shared = sum((a & b).values())
        precision = shared / a.total() if a else 0.0
        recall = shared / b.total() if b else 0.0
        weight = BETA**2 * precision + recall
        scores.append((1 + BETA**2) * precision * recall / weight if weight else 0.0)
    return sum(scores) / len(scores) if scores else 1.0


MEASURES: dict[str, Callable[[str, str], float]] = {
    "first_divergence": first_divergence,
    "edit_similarity": edit_similarity,
    "chrf": chrf,
}


def _grams(text: str, size: int) -> Counter[str]:
    return Counter(text[i : i + size] for i in range(len(text) - size + 1))
