"""One request, from its prompt to its stored row."""

import re
from dataclasses import dataclass
from typing import Any

import httpx

from collector import measure, record
from collector.backends import Backend, Facts
from collector.backends.listing import token_wanted
from collector.nonce import messages
from collector.recorder import Recorder
from collector.suite import Prompt


class Interrupted(Exception):
    """The person pressed Ctrl-C during a request; its row is stored."""


# Keys of a request that an answer can do without; what is left out of this list decides what is asked.
OPTIONAL = ("stream_options", "temperature", "top_p", "top_k", "repeat_penalty", "seed")
REFUSALS = (400, 422)
LOADING_TRIES, LOADING_S = 600, 1.0  # 400 GB are read in two to five minutes
REPEATED = re.compile(r"(.{1,32}?)\1+", re.DOTALL)


def send(
    client: httpx.Client,
    backend: Backend,
    recorder: Recorder,
    messages: list[dict[str, str]],
    limit: int,
    sampling: Facts,
    within_s: float | None = None,
    tries: int = 0,
) -> measure.Exchange:
    """Send one request and time it; without keys that the server refuses, of which the run is told.

    `tries`: how often it is sent again, a second later each time, while the server says that it loads its model.
    """
    told, known = False, set(backend.left_out)
    while True:
        request = backend.chat(messages, limit, sampling)
        seen = measure.exchange(client, request, backend.parse, at_first_text=recorder.at_first_text, within_s=within_s)
        recorder.meter.nudge()  # before anything else is done: only a reading at the end tells what the answer took
        if tries and is_loading(seen):
            if not told:
                recorder.wait(seen.error_detail)
            told, tries = True, tries - 1
            measure.sleep(LOADING_S)
            continue
        refused = refused_keys(seen, request.body)
        if not refused:
            break
        backend.left_out |= refused
    if _status(seen) in REFUSALS:
        backend.left_out = known  # it was not for these keys
    if backend.left_out != known:
        left_out = {key: None for key in sorted(backend.left_out) if key in sampling}
        recorder.learn({"keys_left_out": ", ".join(sorted(backend.left_out)), **left_out})
    return seen


def is_loading(seen: measure.Exchange) -> bool:
    """Whether the server turned the request away because its model is not there yet."""
    said = (seen.error_detail or "").lower()
    return _status(seen) == 503 and "loading" in said and "fail" not in said


def refused_keys(seen: measure.Exchange, body: Any) -> set[str]:
    """Optional keys of the request that a refusal names."""
    if _status(seen) not in REFUSALS:
        return set()
    said = seen.error_detail or ""
    return {key for key in OPTIONAL if key in body and re.search(rf"(?<![A-Za-z_]){key}(?![A-Za-z_])", said)}


def characters(messages: list[dict[str, str]]) -> int:
    """Characters of a chat, as far as they need tokens: a row of blanks counts once, and so does what repeats at once.

    Tokenizers have single tokens for a hundred blanks or equals signs, and for the whole alphabet.
    """
    return sum(len(REPEATED.sub(r"\1", " ".join(message["content"].split()))) for message in messages)


def require_access(client: httpx.Client, row: Facts) -> None:
    """Raises ServerNotFound where the first request was turned away for want of a token: so would all others be."""
    if row.get("http_status") in (401, 403):
        raise token_wanted(client, row["http_status"], row["error_detail"] or "")


def _status(seen: measure.Exchange) -> int | None:
    status: int | None = seen.facts.get("http_status")
    return status


@dataclass(frozen=True)
class Asker:
    """Sends a run's requests and stores what came of each."""

    client: httpx.Client
    backend: Backend
    recorder: Recorder

    def ask(
        self,
        op: str,
        prompt: Prompt,
        digits: str,
        repeat: int,
        sampling: Facts,
        most_tokens: int | None = None,
        where: Facts | None = None,
    ) -> Facts:
        """Send a prompt behind these digits; `most_tokens` instead of the prompt's own limit. Raises Interrupted."""
        limit = most_tokens or prompt.max_tokens
        loaded = self.backend.instances()
        self.recorder.begin(op, {"prompt_id": prompt.id, "repeat": repeat, "max_tokens": limit})
        chat = messages(digits, prompt.text)
        tries = LOADING_TRIES if op == "warmup" else 0  # later it would be another model's doing, and is a failure
        seen = send(self.client, self.backend, self.recorder, chat, limit, sampling, tries=tries)
        self.recorder.sampler.sample_now()
        row = {
            "prompt_id": prompt.id,
            "prompt_category": prompt.category,
            "prompt_sha256": prompt.sha256,
            "max_tokens": limit,
            "repeat": repeat,
            "nonce": digits,
            "prompt_chars": characters(chat),
            **(where or {}),
            "loaded_instances": loaded,
            **record.of_exchange(seen),
        }
        self.recorder.end(op, row, began=seen.sent_at)
        if seen.was_interrupted:
            raise Interrupted
        return row
