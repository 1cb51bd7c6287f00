"""What one text has that another has not, marked in HTML: word by word, for the eye. It measures nothing."""

import re
from html import escape

from rapidfuzz.distance import Indel

WORDS = re.compile(r"[^\W_]+|\s+|.", re.ASCII | re.DOTALL)  # Chinese goes character by character
ALIKE = 0.5  # below that nearly all would be marked


def marked(text: str, reference: str) -> str | None:
    """`text` as HTML with what is not in `reference` in `<mark>`; None where the two have less than half in common."""
    own, other = WORDS.findall(text), WORDS.findall(reference)
    if Indel.normalized_similarity(other, own, score_cutoff=ALIKE) == 0:
        return None
    pieces = []
    for step in Indel.opcodes(other, own):
        words = escape("".join(own[step.dest_start : step.dest_end]))
        if step.tag == "equal":
            pieces.append(words)
        elif words:
            pieces.append(f"<mark>{words}</mark>" if words.strip() else words)
        else:  # left out here
            pieces.append('<span class="gap"></span>')
    return "".join(pieces)
