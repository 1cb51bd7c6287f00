"""In the sandbox: runs tests and a program over a project, and states by value what came of each. The host judges.

One line of JSON on stdin: `word`, with which each line that counts begins; `folders`, each with the project in it,
where only the numbers of tests and data differ; `tests`, of each folder the source, which states instead of asserting,
and `test`, its file; `program` and `cases`, of each folder its arguments and stdin. Every test and case starts with
nothing of the project imported.
"""

import ast
import importlib.machinery
import io
import json
import os
import runpy
import sys
import time
import warnings
from collections.abc import Iterator

TYPE_CHECKING = False  # typing and pathlib take as long to import here as a test takes to run
if TYPE_CHECKING:
    from typing import Any
else:
    Any = object

HERE = "/w"
BLOCKS = ("body", "handlers", "orelse", "finalbody", "cases")  # where statements hold statements
CODES: dict[tuple[Any, str], Any] = {}


def once(source: Any, path: str, mode: str = "exec", **_: Any) -> Any:
    """What `compile` makes of a source, kept: every test imports the project anew, and its text stays as it is."""
    at = (source, path)
    if at not in CODES:
        CODES[at] = compile(source, path, mode, dont_inherit=True)
    return CODES[at]


def made_of(folder: str) -> dict[str, list[str]]:
    """Of each file the functions and classes that it defines itself."""
    found: dict[str, list[str]] = {}
    for path in (f"{place}/{name}" for place, _, names in os.walk(folder) for name in names if name.endswith(".py")):
        try:
            with open(path, encoding="utf-8") as file:  # noqa: PTH123 - pathlib takes long to import here
                tree = ast.parse(file.read())
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            continue  # the tests will say so
        defined = [node.name for node in statements(tree) if isinstance(node, ast.FunctionDef | ast.ClassDef)]
        found[path.removeprefix(f"{folder}/")] = defined
    return found


def statements(tree: Any) -> Iterator[Any]:
    """All statements in one, level by level; what an expression holds is none."""
    level = [tree]
    while level:
        level = [inner for node in level for name in BLOCKS for inner in getattr(node, name, ())]
        yield from level


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

    def __init__(self, folder: str, arguments: list[str], stdin: str) -> None:
        self.folder, self.arguments, self.stdin = folder, arguments, stdin

    def __enter__(self) -> "Fresh":
        self.known = dict(sys.modules)
        os.chdir(self.folder)
        sys.path[:] = [self.folder, *(path for path in sys.path if not path.startswith(HERE))]
        sys.argv = self.arguments
        self.out, self.err = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8", newline="") for _ in range(2))
        sys.stdin = io.TextIOWrapper(io.BytesIO(self.stdin.encode()), encoding="utf-8")
        sys.stdout, sys.stderr = self.out, self.err
        return self

    def __exit__(self, *_: object) -> None:
        for name, module in list(sys.modules.items()):
            if self.known.get(name) is module:
                continue  # from before, where nothing of the project is left
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
    runpy.compile = once  # type: ignore[attr-defined]  # which it finds before the built-in one
    loader: Any = importlib.machinery.SourceFileLoader
    loader.source_to_code = lambda _, data, path: once(data, path)
    say(made_of=made_of(f"{HERE}/{task['folders'][0]}"))
    for number, folder in enumerate(task["folders"]):
        place = f"{HERE}/{folder}"
        for name in task["names"]:
            stated: list[Any] = []
            error = test(f"{place}/{task['test']}", place, task["tests"][number], name, stated)
            say(folder=number, test=name, stated=stated, error=error)
        for case, (arguments, given) in enumerate(task["cases"][number]):
            printed, error = run(place, task["program"], arguments, given)
            say(folder=number, case=case, printed=printed, error=error)
    say(end=True)


def test(path: str, folder: str, source: str, name: str, stated: list[Any]) -> str | None:
    """Run one test of the source; what went wrong."""
    names: dict[str, Any] = {"__name__": "tests", "__file__": path}
    names["_state"] = lambda number, value: stated.append([number, by_value(value)])
    with Fresh(folder, [path], ""):
        try:
            exec(once(source, path), names)
            names[name]()
        except BaseException as error:
            return _said(error)
    return None


def run(folder: str, program: str, arguments: list[str], given: str) -> tuple[list[Any], str | None]:
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
