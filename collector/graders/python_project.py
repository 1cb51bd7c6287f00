"""Do the files it proposes make a project that passes its tests and still does what it did?

Runs in the sandbox only. Declared: `base`, the material folder the files are applied to; `tests`, the file that must
still pass and is taken from there whatever the answer says; `program` and `cases`, runs whose output must equal that of
the base; and of the form: `most_files`, `least_modules`, `facade` (the file that may only import).
"""

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from collector.graders import Grade, Output
from collector.graders._files import proposed

if TYPE_CHECKING:
    from collector.sandbox import Execute, Ran

TIER, VERSION = "Q1", 1
MATERIAL = Path(__file__).parent.parent / "suites" / "material"
GUESTS = Path(__file__).parent.parent / "sandbox" / "guests"
MOST_CHARS = 200_000


def grade(output: Output, declared: Mapping[str, Any], execute: "Execute | None") -> Grade:
    """Pass: the form, the tests and the output are right; partial: the form is not; fail: it does not work."""
    files, gone, is_whole = proposed(output.answer)
    if not files:
        return Grade("unparsed", "no line with a path and a code block after it")
    if not is_whole:
        return Grade("fail", "the last file is cut off")
    base = material(declared["base"])
    kept = {declared["tests"]: base[declared["tests"]]}
    after = {path: text for path, text in base.items() if path not in gone} | files | kept
    new = [path for path in files if path not in base and path.endswith(".py")]
    if sum(map(len, after.values())) > MOST_CHARS:
        return Grade("fail", "more text than any restructuring needs")
    if execute is None:
        return Grade("not run", "no sandbox: pip install 'llm-mac-512[sandbox]'")
    try:
        tested = execute(_with(after, "tests.py"), ["/w/tests.py", declared["tests"]])
    except ValueError as error:
        return Grade("fail", str(error))
    defined, results = _said(tested)
    passed = sum(failure is None for failure in results.values())
    told = f"{passed} of {_test_count(base[declared['tests']])} tests"
    share = passed / _test_count(base[declared["tests"]])
    if tested.trouble or not results or share < 1:
        first = next((f"{name}: {failure}" for name, failure in results.items() if failure), None)
        return Grade("fail", f"{told}; {tested.trouble or first or 'no test ran'}", min(share, 0.99))
    for case in declared["cases"]:
        ran = _program(execute, after, declared, case)
        if ran != _of_base(execute, declared["base"], declared["program"], json.dumps(case)):
            return Grade(
                "fail", f"{told}, but `{declared['program']} {case['arguments']}` prints something else", share
            )
    if wrong := _form(declared, files, new, defined):
        return Grade("partial", f"{told}; {wrong}", share)
    return Grade("pass", f"{told}; {len(files)} {'file' if len(files) == 1 else 'files'}", share)


@cache
def material(name: str) -> dict[str, str]:
    """The files of a material folder, by path; what only stands in the prompt is left out."""
    folder = MATERIAL / name
    found = {path.relative_to(folder): path for path in sorted(folder.rglob("*")) if path.is_file()}
    return {
        path.as_posix(): file.read_text(encoding="utf-8")
        for path, file in found.items()
        if path.name not in ("before.md", "after.md")
        and not any(p.startswith((".", "__")) for p in path.parts[:-1])
        and path.suffix != ".pyc"
    }


def _form(declared: Mapping[str, Any], files: dict[str, str], new: list[str], defined: dict[str, Any]) -> str | None:
    if len(files) > declared.get("most_files", len(files)):
        return f"{len(files)} files instead of {declared['most_files']} at most"
    if len(new) < declared.get("least_modules", 0):
        return f"new modules: {len(new)} instead of {declared['least_modules']} at least"
    own = defined.get(declared.get("facade", ""))
    return f"{declared['facade']} still defines {', '.join(own[:3])}" if own else None


def _with(files: Mapping[str, str], guest: str) -> dict[str, str]:
    """The project below `project/`, where none of its files can take the place of the guest's program."""
    own = {guest: (GUESTS / guest).read_text(encoding="utf-8")}
    return own | {f"project/{path.removeprefix('./')}": text for path, text in files.items()}


def _program(
    execute: "Execute", files: Mapping[str, str], declared: Mapping[str, Any], case: Mapping[str, Any]
) -> "Ran":
    arguments = ["/w/program.py", declared["program"], *case["arguments"]]
    ran: Ran = execute(_with(files, "program.py"), arguments, case.get("stdin", ""))
    return ran


@cache
def _of_base(execute: "Execute", base: str, program: str, case: str) -> "Ran":
    return _program(execute, material(base), {"program": program}, json.loads(case))


def _said(ran: "Ran") -> tuple[dict[str, Any], dict[str, Any]]:
    found: list[dict[str, Any]] = []
    lines = ran.stdout.strip().splitlines() if ran.stdout.strip() else ["", ""]
    for line in (lines[0], lines[-1]):
        try:
            said = json.loads(line)
        except (ValueError, RecursionError):
            said = {}
        found.append(said if isinstance(said, dict) else {})
    return found[0], found[1] if len(lines) > 1 else {}


def _test_count(text: str) -> int:
    return sum(line.startswith("def test_") for line in text.splitlines())
