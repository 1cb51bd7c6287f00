"""Answers to the two tasks that end in a project: restructured honestly in many styles, and broken or forged.

Made of the bases themselves, so that a changed base needs no changed answers.
"""

import ast
import tomllib
from collections.abc import Iterator
from itertools import product
from pathlib import Path

from collector import suite
from collector.graders import Check, python_project

CHECKS = {
    check.declared["base"]: check
    for prompt in suite.read("coding-agent").prompts
    for check in prompt.checks
    if check.grader == "python_project"
}
Files = dict[str, str]


def answer(files: Files, gone: tuple[str, ...] = ()) -> str:
    """What a model writes to propose these files."""
    blocks = [f"路径: {path}\n```\n{text}```" for path, text in files.items()]
    return "\n\n".join([*blocks, *(f"删除: {path}" for path in gone)])


def check(base: str) -> Check:
    """What is asked of an answer about this base."""
    return CHECKS[base]


# ---------------------------------------------------------------- one file into modules

MODEL, CLOCK = ("DAILY_LIMIT", "TimesheetError", "Entry"), ("parse_clock", "format_minutes")
READ, HOURS = ("parse_line", "parse"), ("check_overlaps", "totals_by", "overtime")
SHOWN = ("RENDERERS", "renderer", "render_text", "render_csv", "render")
SPLITS: dict[str, dict[str, tuple[str, ...]]] = {
    "four topics": {"model": MODEL, "parsing": (*CLOCK, *READ), "report": (*HOURS, *SHOWN), "cli": ("main",)},
    "six topics": {
        "model": MODEL,
        "clock": CLOCK,
        "parsing": READ,
        "hours": HOURS,
        "rendering": SHOWN,
        "cli": ("main",),
    },
    "logic and command": {"core": (*MODEL, *CLOCK, *READ, *HOURS, *SHOWN), "command": ("main",)},
    "data and work": {"data": MODEL, "work": (*CLOCK, *READ, *HOURS, *SHOWN, "main")},
    "errors apart": {
        "errors": MODEL[1:2],
        "entries": (MODEL[0], MODEL[2]),
        "reading": (*CLOCK, *READ),
        "checks": HOURS,
        "output": (*SHOWN, "main"),
    },
}
STYLES = ("flat", "flat with stars", "package", "relative", "stars of a package", "names of a module", "deep", "modern")
STANDARD = {"argparse": "import argparse", "sys": "import sys", "dataclass": "from dataclasses import dataclass"}
STANDARD |= {"date": "from datetime import date"}


def honest_splits() -> Iterator[tuple[str, Files]]:
    """Every split in every style, by name."""
    for split, style in product(SPLITS, STYLES):
        yield f"{split}, {style}", _split(SPLITS[split], style)


def _split(modules: dict[str, tuple[str, ...]], style: str) -> Files:
    source = python_project.files_of("single_file")["timesheet.py"]
    parts = dict(_parts(source))
    home = {name: module for module, names in modules.items() for name in names}
    folder = {"flat": "", "flat with stars": "", "deep": "hours_app/internal/"}.get(style, "hours_app/")
    files = {f"{folder}__init__.py": '"""Work hours."""\n'} if folder else {}
    if style == "deep":
        files["hours_app/__init__.py"] = ""
    for module, names in modules.items():
        text = "\n\n".join(parts[name] for name in names)
        used = {node.id for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Name)}
        heads = [line for name, line in STANDARD.items() if name in used]
        for other in dict.fromkeys(home[name] for name in home if name in used and home[name] != module):
            wanted = ", ".join(name for name in modules[other] if name in used)
            heads.append(f"from {_place(folder, other, style)} import {'*' if 'stars' in style else wanted}")
        if style == "modern":
            heads = [
                "from __future__ import annotations",
                "import logging",
                *heads,
                "log = logging.getLogger(__name__)",
            ]
        files[f"{folder}{module}.py"] = f'"""{module.title()}."""\n' + "\n".join(heads) + f"\n\n{text}\n"
    files["timesheet.py"] = _facade(modules, folder, style)
    return files


def _place(folder: str, module: str, style: str) -> str:
    return f".{module}" if style in ("relative", "deep", "modern") else f"{folder.replace('/', '.')}{module}"


def _facade(modules: dict[str, tuple[str, ...]], folder: str, style: str) -> str:
    package = folder.replace("/", ".")
    lines = ["import sys"]
    for module, names in modules.items():
        if style == "names of a module":
            lines.append(f"import {package}{module} as _{module}")
            lines += [f"{name} = _{module}.{name}" for name in names]
        else:
            lines.append(f"from {package}{module} import {'*' if 'stars' in style else ', '.join(names)}")
    guard = ["", 'if __name__ == "__main__":', "    sys.exit(main())", ""]
    return "\n".join([*lines, *guard])


def _parts(source: str) -> Iterator[tuple[str, str]]:
    """Each name of the file with the lines that define it."""
    lines = source.splitlines()
    for node in ast.parse(source).body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            yield node.targets[0].id, "\n".join(lines[node.lineno - 1 : node.end_lineno])
        elif isinstance(node, ast.FunctionDef | ast.ClassDef):
            first = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
            yield node.name, "\n".join(lines[first - 1 : node.end_lineno])


# ---------------------------------------------------------------- the first step in a repository

Step = dict[str, str]
STEPS: dict[str, list[Step]] = tomllib.loads(
    (Path(__file__).parent / "styles" / "repo_steps.toml").read_text(encoding="utf-8")
)
MOST_FILES = 3


def honest_steps() -> Iterator[tuple[str, Files, tuple[str, ...]]]:
    """Every step, and every two that touch few enough files: name, files, files that go."""
    for one, other in product(STEPS, STEPS):
        if one > other:
            continue
        files, gone = _stepped([*STEPS[one], *(STEPS[other] if other != one else ())])
        if files and len(files) <= MOST_FILES:
            yield (one if one == other else f"{one}, {other}"), files, gone


def _stepped(steps: list[Step]) -> tuple[Files, tuple[str, ...]]:
    base = python_project.files_of("repo")
    files: Files = {}
    gone = []
    for step in steps:
        path, before = step["file"], step.get("before", "")
        text = files.get(path, base.get(path, ""))
        if "gone" in step:
            gone.append(path)
        elif before in text:
            files[path] = text.replace(before, step.get("after", ""), 1)
    return files, tuple(gone)
