"""Do the files it proposes make a project that passes its tests and still does what it did?

Runs in the sandbox only, where it states values, which are compared here with those of the base; also with other
numbers in tests and data, which follow from the answer's hash, so that nobody can know them. Declared: `base`, the
material folder the files are applied to; `tests`, the file that must still pass and is taken from there whatever the
answer says; `program` and `cases`, runs whose output must equal that of the base; and of the form: `most_files`,
`least_modules`, `facade` (the file that may only import).
"""

import random
from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

from collector import material
from collector.graders import NOT_RUN, Grade, Output, host_trouble
from collector.graders._files import proposed
from collector.graders._stated import Task
from collector.sandbox import HostTrouble, apart

if TYPE_CHECKING:
    from collector.sandbox import Execute

TIER, VERSION = "Q1", 2
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
        return _tried(declared, files, after, execute, random.Random(output.sha256))
    except HostTrouble as trouble:
        return host_trouble(trouble)
    except ValueError as error:
        return Grade("fail", str(error))


def _tried(
    declared: Mapping[str, Any], files: dict[str, str], after: dict[str, str], execute: "Execute", draw: random.Random
) -> Grade:
    base = files_of(declared["base"])
    task = Task(declared, base, draw)
    right, said = task.stated_by(base, execute), task.stated_by(after, execute)
    wrong = {at for at, found in right.tests.items() if found[1] is None and said.tests.get(at) != found}
    failed = [name for name in task.names if (0, name) in wrong]
    told = f"{len(task.names) - len(failed)} of {len(task.names)} tests"
    share = 1 - len(failed) / len(task.names)
    if failed:
        first = said.tests.get((0, failed[0]), (None, "did not run"))[1] or "another value than before"
        return Grade("fail", f"{told}; {said.trouble or f'{failed[0]}: {first}'}", share)
    if wrong:
        return Grade("fail", f"{told}, but {min(wrong)[1]} gives other values with other numbers", share)
    if any(found[1] is None and said.cases.get(at) != found for at, found in right.cases.items()):
        return Grade("fail", f"{told}, but `{declared['program']}` prints something else", share)
    if said.trouble or not said.is_whole:
        return Grade("fail", f"{told}; {said.trouble or 'it ends early'}", share)
    if why := _form(declared, files, said.made_of):
        return Grade("partial", f"{told}; {why}", share)
    return Grade("pass", f"{told}; {len(files)} {'file' if len(files) == 1 else 'files'}", share)


@cache
def files_of(base: str) -> dict[str, str]:
    """The files of a material folder, by path, without the words around them."""
    found = material.read(material.FOLDER / base)
    return {path: text for path, text in found.items() if path not in material.WORDS}


def _form(declared: Mapping[str, Any], files: dict[str, str], made_of: Mapping[str, list[str]]) -> str | None:
    if len(files) > declared.get("most_files", len(files)):
        return f"{len(files)} files instead of {declared['most_files']} at most"
    old = files_of(declared["base"])
    new = [path for path in files if path not in old and path.endswith(".py") and not path.endswith("__init__.py")]
    if len(new) < declared.get("least_modules", 0):
        return f"new modules: {len(new)} instead of {declared['least_modules']} at least"
    own = made_of.get(declared.get("facade", ""))
    return f"{declared['facade']} still defines {', '.join(own[:3])}" if own else None
