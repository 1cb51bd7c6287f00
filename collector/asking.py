"""One request, from its prompt to its stored row."""

from dataclasses import dataclass

import httpx

from collector import measure, record
from collector.backends import Backend, Facts
from collector.nonce import messages
from collector.recorder import Recorder
from collector.suite import Prompt


class Interrupted(Exception):
    """The person pressed Ctrl-C during a request; its row is stored."""


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
        request = self.backend.chat(messages(digits, prompt.text), limit, sampling)
        self.recorder.begin(op, {"prompt_id": prompt.id, "repeat": repeat, "max_tokens": limit})
        seen = measure.exchange(self.client, request, self.backend.parse, at_first_text=self.recorder.sampler.nudge)
        self.recorder.sampler.sample_now()
        row = {
            "prompt_id": prompt.id,
            "prompt_category": prompt.category,
            "prompt_sha256": prompt.sha256,
            "max_tokens": limit,
            "repeat": repeat,
            "nonce": digits,
            **(where or {}),
            **record.of_exchange(seen),
        }
        self.recorder.end(op, row, began=seen.sent_at)
        if seen.was_interrupted:
            raise Interrupted
        return row
