"""A prompt has as many tokens as its text needs, by what was sent, or, in older files, by the suite."""

from collections.abc import Iterator

from collector import suite
from collector.commands._checks import File, Found

HAPPENED = "Its prompt was cut: so few tokens cannot hold the text that was sent:"
REMEDY = "Load the model with a context that holds the prompts, and measure again."
MOST = 8  # bytes or characters of a token, over a whole prompt: real ones have 3 to 5


def find(file: File) -> Iterator[Found]:
    """Prompts that would have more text a token than any tokenizer gives."""
    if file.kind != "runs":
        return
    known = suite.known()
    for number, row in enumerate(file.rows):
        prompt, counted = known.get(row.get("prompt_sha256") or ""), row.get("prompt_tokens")
        sizes = {"bytes": len(prompt.text.encode()) if prompt else 0, "characters": row.get("prompt_chars") or 0}
        if counted and row.get("op") == "request":
            told = [f"{counted:,} for {size:,} {unit}" for unit, size in sizes.items() if size > MOST * counted]
            yield from (Found("prompt_tokens", value, number) for value in told[:1])
