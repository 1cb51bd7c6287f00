"""The outputs in `outputs/`: what a model wrote, or might have, and what a careful reader says of it."""

import tomllib
from dataclasses import dataclass
from pathlib import Path

from collector import graders, suite
from collector.graders import Graded, Output
from collector.sandbox import Execute
from collector.suite import Prompt

FOLDER = Path(__file__).parent / "outputs"
KINDS = ("right", "subtly wrong", "broken", "looping", "leaking", "malicious", "truncated", "wrong language")


@dataclass(frozen=True)
class Sample:
    """One file: the prompt it answers, the output, and the outcome that every check should have."""

    name: str
    prompt: Prompt
    origin: str
    kind: str
    output: Output
    expected: dict[str, str]

    def graded(self, execute: Execute | None) -> dict[str, Graded]:
        """What the graders say, by the check's id."""
        return {found.check.id: found for found in graders.grade(self.output, self.prompt.checks, execute)}


def samples() -> list[Sample]:
    """All of them, by name."""
    prompts = {prompt.id: prompt for name in suite.names() for prompt in suite.read(name).prompts}
    found = []
    for path in sorted(FOLDER.glob("*.toml")):
        told = tomllib.loads(path.read_text(encoding="utf-8"))
        prompt = prompts[told["prompt"]]
        output = Output(told["text"], told.get("reasoning", ""), told.get("finish_reason"), prompt.language)
        found.append(Sample(path.stem, prompt, told["origin"], told["kind"], output, told["expected"]))
    return found
