"""Stable names for the ways a model or a server fails, from what it said."""

import re

from collector.graders import template_leak

_LOAD = (
    ("load_refused", r"guard\s?rail|insufficient system resources"),
    (
        "load_out_of_memory",
        r"out\s?of\s?memory|insufficient memory|not enough memory|(?:cannot|unable to|failed to) allocate|\bOOM\b"
        r"|greater than the maximum allowed buffer",
    ),
    ("load_timeout", r"timed out after"),
)
_REQUEST = (
    ("worker_gone", r"failed to load model|model (?:has )?(?:crashed|unloaded)|exited before|engine protocol"),
    ("not_loaded", r"no models? loaded"),
    ("context_overflow", r"context (?:length|size|window)|n_keep|exceeds? the (?:available )?context"),
)


def of_load(said: str) -> str:
    """`load_refused`, `load_out_of_memory`, or `load_failed` for any other reason."""
    reason = re.sub(r'model "[^"]*"', "model", said)  # a model may be called anything
    return next((kind for kind, pattern in _LOAD if re.search(pattern, reason, re.IGNORECASE)), "load_failed")


def of_request(kind: str, said: str | None) -> str:
    """A more telling name for an error answer of the server, where its words give one; else `kind` itself."""
    if kind not in ("http_status", "not_streamed", "server_error") or not said:
        return kind
    return next((name for name, pattern in _REQUEST if re.search(pattern, said, re.IGNORECASE)), kind)


def of_output(answer: str | None, reasoning: str | None, finish_reason: str | None) -> str | None:
    """A flaw of what was written, which speed figures do not mind: `truncated_in_reasoning` or `template_leak`."""
    if finish_reason == "length" and reasoning and not (answer or "").strip():
        return "truncated_in_reasoning"
    if answer and template_leak.found(answer):
        return "template_leak"
    return None
