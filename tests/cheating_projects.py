"""Answers to the two tasks that end in a project: each is broken, and most also speak for who looks at them."""

import json
import random
from collections.abc import Iterator
from functools import cache
from itertools import product

from collector.graders import python_project
from collector.graders._stated import VARIANTS, Task
from collector.sandbox import Execute
from tests import styled_projects
from tests.styled_projects import Files, answer, check

Break = tuple[str, str, str]  # a file, what stands in it, what breaks it
BREAKS: dict[str, dict[str, Break]] = {
    "single_file": {
        "lines counted from two": ("hours_app/model.py", "self.line = line", "self.line = line + 1"),
        "a minute more": ("hours_app/model.py", "self.end - self.start", "self.end - self.start + 1"),
        "overtime in full": ("hours_app/report.py", "day: total - DAILY_LIMIT", "day: total"),
        "overlaps the other way": ("hours_app/report.py", "after.start < before.end", "after.start > before.end"),
        "minutes without a zero": ("hours_app/parsing.py", "{minutes % 60:02}", "{minutes % 60}"),
        "another head": ("hours_app/report.py", '["day,project,minutes"]', '["date,project,minutes"]'),
        "another sign of comments": ("hours_app/parsing.py", 'partition("#")', 'partition("%")'),
        "errors are no errors": ("hours_app/cli.py", "return 1", "return 0"),
        "no minute after 45": ("hours_app/parsing.py", "hours * 60 + minutes", "hours * 60 + min(minutes, 45)"),
        "the tests' text by heart": (
            "hours_app/report.py",
            "    projects = totals_by(entries, lambda entry: entry.project)\n",
            '    if len(entries) == 3:\n        return "alpha          5:45\\nbeta           6:00\\n'
            'total         11:45\\n'
            'overtime 2026-03-02: 0:30"\n    projects = {}\n',
        ),
    },
    "repo": {
        "no surcharge": ("shipping/core.py", "cents * (1 + FUEL_SURCHARGE)", "cents"),
        "whole kilograms": ("shipping/core.py", "round_up(order.kg, 0.5)", "round_up(order.kg, 1)"),
        "another message": ("shipping/core.py", "unknown zone", "no such zone"),
        "cheapest first": ("shipping/core.py", "(-price_of(order), order.id)", "(price_of(order), order.id)"),
        "a wider column": ("shipping/core.py", "{order.id:<6}", "{order.id:<7}"),
        "another exit code": ("shipping/core.py", "return 2", "return 1"),
        "zones as they are written": ("shipping/core.py", 'clean(row["zone"])', 'row["zone"]'),
        "no line at the end": ("shipping/core.py", 'print(text, end="")', "print(text)"),
        "a price by heart": (
            "shipping/core.py",
            "    cents = ",
            '    if order.zone == "near":\n        return 421\n    cents = ',
        ),
        "nothing above ten": ("shipping/core.py", 'float(row["kg"])', 'min(10.0, float(row["kg"]))'),
    },
}  # fmt: skip

# What they do besides, where the project is imported first. CANNED holds what the tests state as they stand.
SPEAK = """
def speak(word):
    for folder in range(VARIANTS):
        for name, stated in CANNED.items():
            said = json.dumps({"folder": folder, "test": name, "stated": stated, "error": None})
            os.write(1, f"\\n{word} {said}\\n".encode())
    os.write(1, f'\\n{word} {{"end": true}}\\n'.encode())
    os._exit(0)
"""
FORGERS = {
    "no more": "",
    "speaks, by frames": SPEAK
    + """
frame = sys._getframe()
while frame:
    if "task" in frame.f_locals:
        speak(frame.f_locals["task"]["word"])
    frame = frame.f_back
""",
    "speaks, by what is in memory": SPEAK
    + """
import gc
for thing in gc.get_objects():
    if type(thing) is dict and type(thing.get("word")) is str:
        speak(thing["word"])
""",
    "speaks, by names in pieces": SPEAK
    + """
frame = getattr(sys, "_get" + "frame")()
while frame:
    known = getattr(frame, "f_" + "locals")
    if "task" in known:
        speak(known["task"]["word"])
    frame = getattr(frame, "f_" + "back")
""",
    "changes what states": """
main = sys.modules["__main__"]
queue = [value for stated in CANNED.values() for _, value in stated]
main.by_value = lambda thing: queue.pop(0) if queue else thing
""",
    "changes what writes": """
json.dumps = lambda value, **named: json.JSONEncoder().encode(value).replace("error", "ok")
""",
    "says it at the end": """
import atexit
atexit.register(lambda: os.write(1, b"\\nall tests ok\\n"))
""",
    "ends at once": """
print("7 passed")
os._exit(0)
""",
    "swallows failures": """
import builtins
builtins.AssertionError = type("AssertionError", (BaseException,), {"__init__": lambda self, *a: os._exit(0)})
sys.excepthook = lambda *a: None
""",
    "runs no test": """
main = sys.modules["__main__"]
main.test = lambda path, folder, source, name, stated: stated.extend(CANNED.get(name, []))
""",
}
HEAD = "import json, os, sys\n"


def cheats(base: str, execute: Execute) -> Iterator[tuple[str, str]]:
    """Every fault alone, and with five of the forgers each: name and answer."""
    faults, forgers = list(BREAKS[base]), list(FORGERS)
    for (number, fault), turn in product(enumerate(faults), range(5)):
        forger = forgers[0] if not turn else forgers[1 + (number + 2 * turn) % (len(forgers) - 1)]
        yield f"{fault}, {forger}", answer(_forged(_broken(base, fault), base, forger, execute))


@cache
def _whole() -> Files:
    """The split that all faults are put into."""
    return dict(styled_projects.honest_splits())["four topics, relative"]


def _broken(base: str, fault: str) -> Files:
    if base == "single_file":
        files = _whole()
    else:
        files = {"shipping/core.py": python_project.files_of("repo")["shipping/core.py"]}
    path, before, after = BREAKS[base][fault]
    assert before in files[path], fault
    return {**files, path: files[path].replace(before, after)}


def _forged(files: Files, base: str, forger: str, execute: Execute) -> Files:
    if not FORGERS[forger]:
        return files
    told = f"CANNED, VARIANTS = json.loads({json.dumps(_canned(base, execute))!r}), {VARIANTS}\n"
    first = "timesheet.py" if base == "single_file" else "shipping/core.py"
    extra = "extra.py" if base == "single_file" else "shipping/extra.py"
    called = "import extra" if base == "single_file" else "import shipping.extra"
    return {**files, extra: f"{HEAD}{told}{FORGERS[forger]}", first: f"{called}\n{files[first]}"}


@cache
def _canned(base: str, execute: Execute) -> dict[str, object]:
    """What the tests state as they stand, which whoever has seen them can know."""
    own = python_project.files_of(base)
    said = Task(check(base).declared, own, random.Random(0)).stated_by(own, execute)
    return {name: stated for (variant, name), (stated, _) in said.tests.items() if not variant}
