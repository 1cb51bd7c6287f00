"""In the sandbox: says what solution.py is made of, then has it sort the lists on stdin.

Two lines of JSON: the first is written before any of the solution runs; the second is worth what the host finds right.
"""

import ast
import importlib
import inspect
import io
import json
import sys
from collections.abc import Callable, Iterator
from typing import Any, ClassVar

FOLDER = "/w"
REACHING = {"eval", "exec", "compile", "open", "__import__", "globals", "vars", "breakpoint", "__builtins__"}
REACHING |= {"getattr", "setattr", "delattr"}
USUAL = {"random", "typing", "time", "math", "sys", "copy", "functools", "collections", "itertools", "timeit"}
USUAL |= {"__future__", "dataclasses", "operator", "statistics", "unittest", "doctest", "string", "bisect", "heapq"}
USUAL |= {"abc", "argparse", "array", "enum", "logging", "numbers", "pprint"}
OF_SYS = {"setrecursionlimit", "getrecursionlimit", "maxsize", "argv", "exit", "version", "version_info"}
OF_SYS |= {"stdin", "stdout", "stderr"}
SMALL = [3, 1, 2, 2]


def made_of(tree: ast.Module) -> dict[str, Any]:
    """Functions that may be the sort, best first; what they call; and what a sort has no use for."""
    functions: dict[str, ast.AST] = {node.name: node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Lambda):
            functions |= {target.id: node for target in node.targets if isinstance(target, ast.Name)}
    calls = {name: sorted(set(_called(node))) for name, node in functions.items()}
    return {"calls": calls, "reaches": sorted(set(_reaching(tree)))}


def _called(node: ast.AST) -> Iterator[str]:
    for inner in ast.walk(node):
        if isinstance(inner, ast.Call):
            if isinstance(inner.func, ast.Name):
                yield inner.func.id
            elif isinstance(inner.func, ast.Attribute):
                of_own = isinstance(inner.func.value, ast.Name) and inner.func.value.id in ("self", "cls")
                yield inner.func.attr if of_own else f".{inner.func.attr}"


def _reaching(tree: ast.Module) -> Iterator[str]:
    imported = set[str]()
    for node in ast.walk(tree):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
            imported |= {alias.asname or alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names = [node.module or "."]
            yield from (f"import {alias.name}" for alias in node.names if alias.name.startswith("_"))
        yield from (f"import {name}" for name in names if name.split(".")[0] not in USUAL)
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and node.id in REACHING:
            yield node.id
        if isinstance(node, ast.Attribute):
            is_sys = isinstance(node.value, ast.Name) and node.value.id == "sys"
            is_private = node.attr.startswith("_") and isinstance(node.value, ast.Name) and node.value.id in imported
            if is_private or (is_sys and node.attr not in OF_SYS):
                yield f"{node.value.id}.{node.attr}"  # type: ignore[attr-defined]  # both are of a name
            if node.attr.startswith("__") and node.attr not in ("__name__", "__init__", "__doc__"):
                yield node.attr


Sort = Callable[[list[Any]], Any]  # in place, or returned


def candidates(module: Any) -> list[tuple[str, Sort]]:
    """What may be called to sort, by name; the likeliest first."""
    found: list[tuple[str, int, Sort]] = []
    for name, thing in list(vars(module).items()):
        if getattr(thing, "__module__", None) == module.__name__:
            if inspect.isfunction(thing):
                found += [(name, *way) for way in _ways(thing)]
            elif inspect.isclass(thing):
                found += _methods(name, thing)
    ranked = []
    for place, (name, needed, function) in enumerate(found):
        likely = "quick" in name.lower() and "sort" in name.lower()
        ranked.append((not likely, "sort" not in name.lower(), needed != 1, place, name, function))
    return [(name, function) for *_, name, function in sorted(ranked, key=lambda entry: entry[:4])]


def _ways(function: Callable[..., Any]) -> list[tuple[int, Sort]]:
    """How many arguments it must have, and how to call it with a list: alone, or with the range, either way."""
    needed = _needed(function)
    if needed == 1:
        return [(1, function)]
    if needed == 3:
        return [
            (3, lambda given: function(given, 0, len(given) - 1)),
            (3, lambda given: function(given, 0, len(given))),
        ]
    return []


def _methods(name: str, made: Callable[..., Any]) -> list[tuple[str, int, Sort]]:
    """Of an object made without arguments; where it is made with the list, those that need nothing more."""
    try:
        takes = _needed(made)
        one = made() if not takes else made(list(SMALL))
    except Exception:
        return []
    methods = inspect.getmembers(one, lambda method: inspect.ismethod(method) or inspect.isfunction(method))
    named = [(f"{name}.{label}", label, method) for label, method in methods if not label.startswith("__")]
    if not takes:
        return [(full, *way) for full, _, method in named for way in _ways(method)]
    return [
        (full, 1, lambda given, label=label: getattr(made(given), label)())  # type: ignore[misc]
        for full, label, method in named
        if takes == 1 and not _needed(method)
    ]


def _needed(function: Callable[..., Any]) -> int:
    kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    parameters = inspect.signature(function).parameters.values()
    return sum(p.default is p.empty for p in parameters if p.kind in kinds)


def sort(function: Sort, numbers: list[Any]) -> tuple[list[Any], bool]:
    """What the function makes of a list, returned or in place; and whether it changed the list."""
    given = list(numbers)
    returned = function(given)
    result = given if returned is None else list(returned)
    return result, given != numbers


class Met(int):
    """A number that remembers with which others it was compared."""

    pairs: ClassVar[set[tuple[int, int]]] = set()


def _remembering(name: str) -> Callable[[Met, Any], Any]:
    plain = getattr(int, name)

    def compare(self: Met, other: Any) -> Any:
        Met.pairs |= {(int(self), int(other)), (int(other), int(self))}
        return plain(self, other)

    return compare


for _name in ("__lt__", "__le__", "__gt__", "__ge__", "__eq__", "__ne__"):
    setattr(Met, _name, _remembering(_name))
Met.__hash__ = int.__hash__  # type: ignore[method-assign]


def has_pivots(function: Sort) -> bool | None:
    """Whether, each time, some number is compared with all others, as a pivot is, but few are; None: cannot be seen."""
    for step in (19, 23, 37):  # orders in which none of the usual other sorts does so
        numbers = [Met((7 + step * place) % 61) for place in range(61)]
        Met.pairs = set()
        try:
            sort(function, numbers)
        except BaseException:
            return None
        met = [sum(a == one for a, b in Met.pairs if a != b) for one in range(61)]
        if max(met) < 60 or sum(met) > 0.6 * 60 * 61:
            return False
    return True


def main() -> None:
    """See above."""
    out = sys.stdout
    with open(f"{FOLDER}/solution.py", encoding="utf-8") as file:  # noqa: PTH123 - pathlib takes long to import here
        source = file.read()
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        out.write(json.dumps({"syntax": f"{type(error).__name__}: {error}"}) + "\n")
        return
    out.write(json.dumps(made_of(tree)) + "\n")
    out.flush()
    cases = json.load(sys.stdin)
    sys.stdin, sys.stdout = io.StringIO(), io.StringIO()
    sys.path.insert(0, FOLDER)
    answer: dict[str, Any] = {"sorted": [], "function": None}
    try:
        module = importlib.import_module("solution")
    except BaseException as error:
        answer["error"] = f"on import: {_said(error)}"
    else:
        tried: list[tuple[str, Sort, str | None]] = []
        for name, function in candidates(module):
            error_said = None
            try:
                if sort(function, SMALL)[0] == sorted(SMALL):
                    tried = [(name, function, None)]
                    break
            except BaseException as error:
                error_said = _said(error)
            tried.append((name, function, error_said))
        if tried:
            name, function, error_said = tried[0]
            answer |= {"function": name, "error": error_said}
            answer |= {} if error_said else _run(function, cases)
    out.write("\n" + json.dumps(answer, default=str) + "\n")


def _run(function: Sort, cases: list[list[int]]) -> dict[str, Any]:
    results: list[Any] = []
    changed = False
    for number, case in enumerate(cases):
        try:
            result, touched = sort(function, case)
        except BaseException as error:
            return {"sorted": results, "error": f"case {number}: {_said(error)}"}
        results.append(result)
        changed = changed or touched
    return {"sorted": results, "changes_input": changed, "pivots": has_pivots(function)}


def _said(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}"[:200]


main()
