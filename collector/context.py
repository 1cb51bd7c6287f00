"""The context ladder: prompts of growing length with needles in them, up to the real limit, within a time budget.

Every rung is two prompts of three needles. A rung that is refused ends the climb; one prompt beyond the effective
context shows that the limit is real and how the server fails there. What passes is decided by views, later.
"""

import math
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any

import httpx

from collector import environment, haystack, ladder, measure, record
from collector.asking import LOADING_S, LOADING_TRIES, Interrupted, require_access, send
from collector.backends import Backend, Facts
from collector.haystack import Haystack
from collector.nonce import messages, nonce
from collector.recorder import Recorder
from collector.run import Job
from collector.schema import OUTPUT_FLAWS
from collector.suite import Prompt, Suite

SETS = 2  # prompts a rung
ANSWER_TOKENS, REASONING_TOKENS = 200, 1400
SAMPLING = {"temperature": 0.0, "top_p": 1.0, "top_k": 40, "repeat_penalty": 1.0, "seed": 42}
CALIBRATION = (200, 4000)  # characters
GRACE_S = 1.0  # a request may outlive the budget by this before it is cut
LIMIT_SHARE = 0.1  # of the budget, kept for the prompt beyond the limit: it is refused at once, or costs most of all
NEAR, UNSURE = 0.02, 3.0  # share by which counted tokens may differ from those sent; over the root of a short prompt's
SUITE = Suite("context", "Context ladder", (Prompt("ladder", "context", haystack.sha256(), ANSWER_TOKENS),))

Told = Callable[[str], None]
Rows = list[dict[str, Any]]  # earlier requests of the same ladder: context_rung, set_number, prompt_tokens, seconds


@dataclass
class Climb:
    """One ladder in progress. Call it as `run.Work`."""

    budget_s: float
    tell: Told
    earlier: Callable[[Facts], Rows]
    scale: ladder.Scale = field(default_factory=ladder.Scale)
    times: list[tuple[int, float]] = field(default_factory=list)  # depth in tokens, seconds
    answer_tokens: int = ANSWER_TOKENS

    def __call__(self, client: httpx.Client, backend: Backend, job: Job, run_id: str, recorder: Recorder) -> None:
        """Calibrate, climb, prove the limit, and narrow the bracket while time is left."""
        self._client, self._backend, self._job, self._run_id, self._recorder = client, backend, job, run_id, recorder
        self._deadline = recorder.now() + int(self.budget_s * 1e9)
        self._spare_s = LIMIT_SHARE * self.budget_s
        self._place = 0
        self._is_answered = False
        context = recorder.facts.get("context_effective") or recorder.facts.get("context_advertised")
        done = self._resume()
        self._calibrate(context)
        if not self.scale.is_known():
            why = "the server counts no tokens" if self._is_answered else "no prompt was answered"
            self.tell(
                "the budget ended before the first rung"
                if self._left_s() <= 0
                else f"{why}, so no ladder can be climbed"
            )
            return
        self._up(context, done)
        recorder.end("probe", {"environment": environment.survey(job.results.root)})

    def _up(self, context: int | None, done: set[int]) -> None:
        """From the shortest rung to the limit, and back into the bracket."""
        most = self.scale.tokens(haystack.longest())
        wanted = [rung for rung in (ladder.rungs(context) if context else ladder.RUNGS) if rung <= most]
        if context and ladder.beyond(context) > most:
            self.tell(f"the text ends at {most:,} tokens, so nothing longer is tried")
        self._forecast([rung for rung in wanted if rung not in done])
        passed, refused = self._climb(wanted, done)
        passed = max([passed, *(rung for rung in done if refused and rung < refused)])
        if context and refused is None and ladder.beyond(context) <= most:
            self._prove_limit(ladder.beyond(context))
        while refused and (middle := ladder.between(passed, refused)):
            accepted = self._rung(middle)
            if accepted is None:
                break
            passed, refused = (middle, refused) if accepted else (passed, middle)

    def _climb(self, rungs: list[int], done: set[int]) -> tuple[int, int | None]:
        """The longest prompt taken, and the first one refused, if one was before the budget ended."""
        passed = 0
        for rung in rungs:
            accepted = rung in done or self._rung(rung)
            if accepted is None:
                break
            if not accepted:
                return passed, rung
            passed = rung
        return passed, None

    def _prove_limit(self, rung: int) -> None:
        """One prompt that the context cannot hold. A server that takes it gets no more time than is left."""
        self._spare_s = 0.0
        row = self._send(rung, 1)
        if row["error_kind"] != "budget" and is_accepted(row):
            self.tell(f"a prompt of {row['prompt_tokens']:,} tokens was taken, more than the context should hold")

    def _resume(self) -> set[int]:
        """Rungs that an earlier ladder has done, and what it teaches of time."""
        rows = self.earlier(self._recorder.facts)
        sets = {(row["context_rung"], row["set_number"]) for row in rows}
        done = {rung for rung, _ in sets if all((rung, number) in sets for number in range(1, SETS + 1))}
        self.times += [
            (row["prompt_tokens"], row["seconds"]) for row in rows if row["seconds"] and row["prompt_tokens"]
        ]
        if done:
            self.tell(f"measured before, not again: {', '.join(f'{rung:,}' for rung in sorted(done))} tokens")
        return done

    def _calibrate(self, context: int | None) -> None:
        """Two small prompts: tokens for the template, and for a character."""
        for number, characters in enumerate(CALIBRATION):
            if number and context:  # of a small context no more than a quarter
                tokens = self.scale.seen[0][1] / CALIBRATION[0] if self.scale.seen else 1.0
                characters = max(2 * CALIBRATION[0], min(characters, int(context / 4 / tokens)))
            hay = haystack.build(f"{self._run_id}/calibration/{number}", characters)
            row = self._ask("warmup", hay, f"calibration-{number + 1}", 1, {}, ANSWER_TOKENS)
            self._is_answered |= row["error_kind"] in (None, *OUTPUT_FLAWS)
            if row.get("prompt_tokens"):
                self.scale.learn(len(hay.prompt), row["prompt_tokens"])
                self.times.append((row["prompt_tokens"], row["elapsed_ns"] / 1e9))
            if row["reasoning_text"]:
                self.answer_tokens = ANSWER_TOKENS + REASONING_TOKENS

    def _forecast(self, rungs: list[int]) -> None:
        known = [ladder.forecast(self.times, rung) for rung in rungs]
        if all(seconds is not None for seconds in known):
            total = SETS * sum(seconds or 0 for seconds in known)
            self.tell(
                f"rungs: {', '.join(f'{rung:,}' for rung in rungs)} tokens; "
                f"all of them would take about {total:.0f} s, the budget is {self.budget_s:.0f} s"
            )

    def _rung(self, rung: int) -> bool | None:
        """Both prompts of a rung: whether they were taken; None when the budget does not allow it."""
        for number in range(1, SETS + 1):
            needed, left = ladder.forecast(self.times, rung) or 0.0, self._left_s()
            if needed > left:
                self._cut(rung, number, f"about {needed:.0f} s needed, {max(left, 0):.0f} s left of the budget")
                return None
            row = self._send(rung, number)
            if row["error_kind"] == "budget":
                return None
            if not is_accepted(row):
                return False
            self.times.append((row["prompt_tokens"], row["elapsed_ns"] / 1e9))
        return True

    def _send(self, rung: int, number: int) -> Facts:
        """One prompt of a rung; one that was taken teaches how many tokens a character has."""
        hay = haystack.build(f"{self._run_id}/{rung}/{number}", self.scale.characters(rung))
        facts = {"context_rung": rung, "context_expected_tokens": self.scale.tokens(len(hay.prompt))}
        row = self._ask("context", hay, f"rung-{rung}-{number}", number, facts, self.answer_tokens)
        if is_accepted(row):
            self.scale.learn(len(hay.prompt), row["prompt_tokens"])
        return row

    def _ask(self, op: str, hay: Haystack, prompt_id: str, repeat: int, facts: Facts, max_tokens: int) -> Facts:
        digits = nonce(self._run_id, prompt_id, repeat, self._place)
        self._place += 1
        self._recorder.begin(op, {"prompt_id": prompt_id, "repeat": repeat, **facts})
        self._client.timeout = measure.patient(max(self._left_s(), 0) + GRACE_S)
        seen = send(
            self._client,
            self._backend,
            self._recorder,
            messages(digits, hay.prompt),
            max_tokens,
            dict(self._job.sampling),
            within_s=max(self._left_s(), 0) + GRACE_S,
            tries=min(LOADING_TRIES, max(int(self._left_s() / LOADING_S), 0)) if op == "warmup" else 0,
        )
        self._client.timeout = measure.TIMEOUT
        self._recorder.sampler.sample_now()
        row = {
            "prompt_id": prompt_id,
            "prompt_category": "context",
            "max_tokens": max_tokens,
            "repeat": repeat,
            "nonce": digits,
            **facts,
            **record.of_exchange(seen),
        }
        if op == "context":
            hits = haystack.found(row["output_text"], hay.needles)
            row["needles"] = [{**asdict(needle), "found": hit} for needle, hit in zip(hay.needles, hits, strict=True)]
        if row["error_kind"] == "timeout" and self._left_s() <= 0:
            row |= {"error_kind": "budget", "error_detail": "cut: the time budget ended", "said": None}
        self._recorder.end(op, row, began=seen.sent_at)
        if op != "context":
            require_access(self._client, row)
        if seen.was_interrupted:
            raise Interrupted
        return row

    def _cut(self, rung: int, number: int, why: str) -> None:
        row = {"context_rung": rung, "repeat": number, "error_kind": "budget", "error_detail": why}
        self._recorder.end("context", row)
        self.tell(f"stopped before {rung:,} tokens: {why}")

    def _left_s(self) -> float:
        return (self._deadline - self._recorder.now()) / 1e9 - self._spare_s


def is_accepted(row: Facts) -> bool:
    """Answered, with all tokens counted that were sent: a server may cut a prompt silently and answer all the same.

    How many were sent is known to 2 % for long prompts; a short one may by chance hold words of fewer tokens.
    """
    if row["error_kind"] not in (None, *OUTPUT_FLAWS) or not row.get("prompt_tokens"):
        return False
    counted: int = row["prompt_tokens"]
    expected: int = row["context_expected_tokens"]
    return abs(counted / expected - 1) <= max(NEAR, UNSURE / math.sqrt(expected))
