"""Do the files it proposes make a project that passes its tests and still does what it did?

Runs in the sandbox only. Declared: `base`, the material folder the files are applied to; `tests`, the file that must
still pass and is taken from there whatever the answer says; `program` and `cases`, runs whose output must equal that of
the base; and of the form: `most_files`, `least_modules`, `facade` (the file that may only import).
"""

import json
import re
import secrets
from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

from collector import material
from collector.graders import GUESTS, NOT_RUN, Grade, Output
from collector.graders._files import proposed
from collector.sandbox import apart

if TYPE_CHECKING:
    from collector.sandbox import Execute, Ran

TIER, VERSION = "Q1", 1
MOST_CHARS = 200_000


def grade(output: Output, declared: Mapping[str, Any], execute: "Execute | None") -> Grade:
    """Pass: the form, the tests and the output are right; partial: the form is not; fail: it does not work."""
    files, gone, is_whole = proposed(output.answer)
    if not files and not gone:
        return Grade("unparsed", "no line with a path and a code block after it")
    if not is_whole:
        return Grade("fail", "the last file is cut off")
    base = files_of(declared["base"])
    kept = {declared["tests"]: base[declared["tests"]]}
    after = {path: text for path, text in base.items() if path not in gone} | files | kept
    if after == base:
        return Grade("fail", "changes nothing")
    if sum(map(len, after.values())) > MOST_CHARS:
        return Grade("fail", "more text than any restructuring needs")
    try:
        apart(files)
        if execute is None:
            return NOT_RUN
        return _tried(declared, files, after, execute)
    except ValueError as error:
        return Grade("fail", str(error))


def _tried(declared: Mapping[str, Any], files: dict[str, str], after: dict[str, str], execute: "Execute") -> Grade:
    base = files_of(declared["base"])
    word = secrets.token_hex(8)
    tested = execute(_with(after, "tests.py"), ["/w/tests.py", declared["tests"]], word)
    made_of, results = _said(tested, word)
    names = re.findall(r"^def (test_\w+)", base[declared["tests"]], re.MULTILINE)
    told = f"{sum(results.get(name) == 'ok' for name in names)} of {len(names)} tests"
    share = sum(results.get(name) == "ok" for name in names) / len(names)
    if reached := [name for path in files for name in made_of.get(path, {}).get("reaches", [])]:
        return Grade("fail", f"{told}, but it uses {', '.join(reached[:3])}", 0.0)
    if tested.trouble or share < 1:
        first = next((f"{name}: {said}" for name, said in results.items() if said != "ok"), "not all tests ran")
        return Grade("fail", f"{told}; {tested.trouble or first}", min(share, 0.99))
    cases = json.dumps([(case["arguments"], case.get("stdin", "")) for case in declared["cases"]])
    if _printed(execute, after, declared["program"], cases) != _of_base(
        execute, declared["base"], declared["program"], cases
    ):
        return Grade("fail", f"{told}, but `{declared['program']}` prints something else", share)
    if wrong := _form(declared, files, made_of):
        return Grade("partial", f"{told}; {wrong}", share)
    return Grade("pass", f"{told}; {len(files)} {'file' if len(files) == 1 else 'files'}", share)


@cache
def files_of(base: str) -> dict[str, str]:
    """The files of a material folder, by path, without the words around them."""
    found = material.read(material.FOLDER / base)
    return {path: text for path, text in found.items() if path not in material.WORDS}


def _form(declared: Mapping[str, Any], files: dict[str, str], made_of: dict[str, Any]) -> str | None:
    if len(files) > declared.get("most_files", len(files)):
        return f"{len(files)} files instead of {declared['most_files']} at most"
    old = files_of(declared["base"])
    new = [path for path in files if path not in old and path.endswith(".py") and not path.endswith("__init__.py")]
    if len(new) < declared.get("least_modules", 0):
        return f"new modules: {len(new)} instead of {declared['least_modules']} at least"
    own = made_of.get(declared.get("facade", ""), {}).get("defines")
    return f"{declared['facade']} still defines {', '.join(own[:3])}" if own else None


def _with(files: Mapping[str, str], guest: str) -> dict[str, str]:
    """The project below `project/`, where none of its files can take the place of the guest's program."""
    own = {guest: (GUESTS / guest).read_text(encoding="utf-8")}
    return own | {f"project/{path}": text for path, text in files.items()}


def _printed(execute: "Execute", files: Mapping[str, str], program: str, cases: str) -> "Ran":
    ran: Ran = execute(_with(files, "program.py"), ["/w/program.py", program], cases)
    return ran


@cache
def _of_base(execute: "Execute", base: str, program: str, cases: str) -> "Ran":
    return _printed(execute, files_of(base), program, cases)


def _said(ran: "Ran", word: str) -> tuple[dict[str, Any], dict[str, str]]:
    """The guest's first line, from before the project ran; and of each test what the lines with its word say."""
    lines = ran.stdout.splitlines() or [""]
    try:
        made_of = json.loads(lines[0])
    except (ValueError, RecursionError):
        made_of = {}
    told = [line.split(" ", 2) for line in lines[1:] if line.startswith(f"{word} ")]
    return made_of if isinstance(made_of, dict) else {}, {name: said for _, name, said in told}
