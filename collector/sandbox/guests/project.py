"""In the sandbox: runs tests and a program over a project, and states by value what came of each. The host judges.

One line of JSON on stdin: `word`, with which each line that counts begins; `folders`, each with the project in it,
where only the numbers of tests and data differ; `tests`, of each folder the source, which states instead of asserting,
and `test`, its file; `program` and `cases`, of each folder its arguments and stdin. Every test and case starts with
nothing of the project imported.
"""

import ast
import io
import json
import os
import runpy
import sys
import time
import warnings
from pathlib import Path
from typing import Any

HERE = Path("/w")


def made_of(folder: Path) -> dict[str, list[str]]:
    """Of each file the functions and classes that it defines itself."""
    found: dict[str, list[str]] = {}
    for path in sorted(folder.rglob("*.py")):
        try:
            tree = ast.parse(path.read_text(encoding="utf-8"))
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            continue  # the tests will say so
        defined = [node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.ClassDef)]
        found[path.relative_to(folder).as_posix()] = defined
    return found


def by_value(thing: Any) -> Any:
    """As plain JSON, so that no object can say of itself what it equals."""
    if thing is None or isinstance(thing, bool):
        return thing
    if isinstance(thing, str):
        return ["text", "".join(str.__iter__(thing))]
    if isinstance(thing, int):
        return int.__add__(thing, 0)
    if isinstance(thing, float):
        return float.__add__(thing, 0.0)
    kind: Any
    for kind in (list, tuple):
        if isinstance(thing, kind):
            return [kind.__name__, [by_value(one) for one in kind.__iter__(thing)]]
    for kind in (set, frozenset):
        if isinstance(thing, kind):
            return ["set", sorted(map(by_value, kind.__iter__(thing)), key=json.dumps)]
    if isinstance(thing, dict):
        pairs = [[by_value(key), by_value(dict.__getitem__(thing, key))] for key in dict.__iter__(thing)]
        return ["dict", sorted(pairs, key=json.dumps)]
    return ["object", type(thing).__name__]


class Fresh:
    """A block that begins with nothing of the project imported, in its folder, and with empty streams."""

    def __init__(self, folder: Path, arguments: list[str], stdin: str) -> None:
        self.folder, self.arguments, self.stdin = folder, arguments, stdin

    def __enter__(self) -> "Fresh":
        os.chdir(self.folder)
        sys.path[:] = [str(self.folder), *(path for path in sys.path if not path.startswith(f"{HERE}"))]
        sys.argv = self.arguments
        self.out, self.err = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8", newline="") for _ in range(2))
        sys.stdin = io.TextIOWrapper(io.BytesIO(self.stdin.encode()), encoding="utf-8")
        sys.stdout, sys.stderr = self.out, self.err
        return self

    def __exit__(self, *_: object) -> None:
        for name, module in list(sys.modules.items()):
            places = [getattr(module, "__file__", None), *getattr(module, "__path__", ())]
            if name != "__main__" and any(str(place).startswith(f"{HERE}/") for place in places if place):
                del sys.modules[name]

    def printed(self) -> list[str]:
        """What was written to stdout and stderr."""
        for stream in (self.out, self.err):
            stream.flush()
        return [stream.buffer.getvalue().decode("utf-8", "replace") for stream in (self.out, self.err)]


def main() -> None:
    """See above."""
    write, dumps = sys.stdout.write, json.dumps
    task = json.loads(sys.stdin.readline())

    def say(**said: Any) -> None:
        write(f"\n{task['word']} {dumps(said)}\n")

    time.sleep = lambda seconds: None  # nobody is watching
    warnings.simplefilter("ignore")
    say(made_of=made_of(HERE / task["folders"][0]))
    for number, folder in enumerate(task["folders"]):
        place = HERE / folder
        for name in task["names"]:
            stated: list[Any] = []
            error = test(place / task["test"], place, task["tests"][number], name, stated)
            say(folder=number, test=name, stated=stated, error=error)
        for case, (arguments, given) in enumerate(task["cases"][number]):
            printed, error = run(place, task["program"], arguments, given)
            say(folder=number, case=case, printed=printed, error=error)
    say(end=True)


def test(path: Path, folder: Path, source: str, name: str, stated: list[Any]) -> str | None:
    """Run one test of the source; what went wrong."""
    names: dict[str, Any] = {"__name__": "tests", "__file__": str(path)}
    names["_state"] = lambda number, value: stated.append([number, by_value(value)])
    with Fresh(folder, [str(path)], ""):
        try:
            exec(compile(source, str(path), "exec"), names)
            names[name]()
        except BaseException as error:
            return _said(error)
    return None


def run(folder: Path, program: str, arguments: list[str], given: str) -> tuple[list[Any], str | None]:
    """Run a file of the project as a program: what it printed and its exit code; what went wrong."""
    error, code = None, 0
    with Fresh(folder, [program, *arguments], given) as fresh:
        try:
            runpy.run_path(program, run_name="__main__")
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else 0 if end.code is None else 1
            sys.stderr.write("" if code == end.code or end.code is None else f"{end.code}\n")
        except BaseException as wrong:
            error = _said(wrong)
        return [*fresh.printed(), int(code)], error


def _said(error: BaseException) -> str:
    return " ".join(f"{type(error).__name__}: {error}".split())[:200]


main()
