"""Six digits that open every request, so that no prompt cache holds it: not from the warm-up, an earlier repeat,
another prompt, nor from an earlier run on the same server.

The last five are hash(run id, prompt, repeat). The first walks through the ten digits, because some tokenizers make a
token of each digit, and two neighboring requests that shared the first one would share one cached token more than
what the chat template puts before it. They are neighbors only to the server's cache slots, which remember the latest
few prompts.
"""

import hashlib


def nonce(run_id: str, prompt_id: str, repeat: int, place: int) -> str:
    """The digits for the request at `place` (0, 1, 2 … in sending order) of a run."""
    offset = _number(run_id)
    return f"{(offset + place) % 10}{_number(f'{run_id}/{prompt_id}/{repeat}') % 100_000:05d}"


def shared(prompt_sha256: str, repeat: int) -> str:
    """Digits that every run of every configuration begins this prompt's repeat with, where nothing is timed."""
    return f"{_number(f'{prompt_sha256}/{repeat}') % 1_000_000:06d}"


def messages(digits: str, text: str) -> list[dict[str, str]]:
    """The chat: the digits are the very first tokens of the system message, before any constant text."""
    return [
        {"role": "system", "content": f"{digits} is this request's number; take no notice of it."},
        {"role": "user", "content": text},
    ]


def _number(text: str) -> int:
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8])
