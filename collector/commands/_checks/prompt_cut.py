"""A prompt has as many tokens as its text needs."""

from collections.abc import Iterator

from collector import suite
from collector.commands._checks import File, Found

HAPPENED = "Its prompt was cut: so few tokens cannot hold the text that was sent:"
REMEDY = "Load the model with a context that holds the prompts, and measure again."
MOST_BYTES = 8  # of a token, over a whole prompt: real ones have 3 to 5


def find(file: File) -> Iterator[Found]:
    """Prompts of a suite that would have more bytes a token than any tokenizer gives."""
    if file.kind != "runs":
        return
    known = suite.known()
    for number, row in enumerate(file.rows):
        prompt, counted = known.get(row.get("prompt_sha256") or ""), row.get("prompt_tokens")
        size = len(prompt.text.encode()) if prompt and row.get("op") == "request" else 0
        if counted and size > MOST_BYTES * counted:
            yield Found("prompt_tokens", f"{counted:,} for {size:,} bytes", number)
