"""Answers to the tasks whose programs are run: honest in many styles, which must pass, and cheats, which must not."""

import random
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from collector import graders, suite
from collector.graders import Check, Grade, Output
from collector.sandbox import Execute
from tests import cheating_projects, styled_projects

FOLDER = Path(__file__).parent / "styles"
TASKS = ("sort", "single_file", "repo")
LEAST = 40  # of each kind and task


@dataclass(frozen=True)
class Styled:
    """One answer to one task."""

    task: str
    name: str
    is_honest: bool
    text: str

    def grade(self, execute: Execute) -> Grade:
        """What the task's grader says."""
        return graders.again(_check(self.task), Output(self.text), execute).grade


def all_of(task: str, is_honest: bool, execute: Execute) -> list[Styled]:
    """All there are of one task and kind."""
    return [Styled(task, name, is_honest, text) for name, text in _answers(task, is_honest, execute)]


def drawn(count: int, seed: int, execute: Execute) -> list[Styled]:
    """Some, of sorts twice as many as of each project, since those take longer."""
    draw, each = random.Random(seed), count // 8
    return [
        one
        for task, often in zip(TASKS, (2, 1, 1), strict=True)
        for is_honest in (True, False)
        for one in draw.sample(all_of(task, is_honest, execute), often * each)
    ]


def _answers(task: str, is_honest: bool, execute: Execute) -> Iterator[tuple[str, str]]:
    if task == "sort":
        for path in sorted(FOLDER.glob(f"sort_{'honest' if is_honest else 'cheats'}_*.toml")):
            for name, program in tomllib.loads(path.read_text(encoding="utf-8")).items():
                yield name, f"```python\n{program['text'].strip()}\n```\n"
    elif not is_honest:
        yield from cheating_projects.cheats(task, execute)
    elif task == "single_file":
        yield from ((name, styled_projects.answer(files)) for name, files in styled_projects.honest_splits())
    else:
        yield from ((name, styled_projects.answer(*found)) for name, *found in styled_projects.honest_steps())


def _check(task: str) -> Check:
    if task != "sort":
        return styled_projects.check(task)
    checks = [check for prompt in suite.read("standard").prompts for check in prompt.checks]
    return next(check for check in checks if check.grader == "python_sort")
