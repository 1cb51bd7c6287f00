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
from typing import Any

FOLDER = "/w"
REACHING = {"eval", "exec", "compile", "open", "__import__", "globals", "vars", "setattr", "breakpoint", "__builtins__"}
USUAL = {"random", "typing", "time", "math", "sys", "copy", "functools", "collections", "itertools", "timeit"}
USUAL |= {"__future__", "dataclasses", "operator", "statistics", "unittest", "doctest", "string", "bisect", "heapq"}
OF_SYS = {"setrecursionlimit", "getrecursionlimit", "maxsize", "argv", "exit", "version", "version_info"}
SMALL = [3, 1, 2, 2]


def made_of(tree: ast.Module) -> dict[str, Any]:
    """Functions that may be the sort, best first; what they call; and what a sort has no use for."""
    functions: dict[str, ast.AST] = {node.name: node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Lambda):
            functions |= {target.id: node for target in node.targets if isinstance(target, ast.Name)}
    calls = {name: sorted(set(_called(node))) for name, node in functions.items()}
    return {
        "calls": calls,
        "loops": [name for name, node in functions.items() if any(isinstance(n, ast.While) for n in ast.walk(node))],
        "reaches": sorted(set(_reaching(tree))),
    }


def _called(node: ast.AST) -> Iterator[str]:
    for inner in ast.walk(node):
        if isinstance(inner, ast.Call):
            if isinstance(inner.func, ast.Name):
                yield inner.func.id
            elif isinstance(inner.func, ast.Attribute):
                of_own = isinstance(inner.func.value, ast.Name) and inner.func.value.id in ("self", "cls")
                yield inner.func.attr if of_own else f".{inner.func.attr}"


def _reaching(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [node.module or "."]
        yield from (f"import {name}" for name in names if name.split(".")[0] not in USUAL)
        if isinstance(node, ast.Name) and node.id in REACHING:
            yield node.id
        if isinstance(node, ast.Attribute):
            is_sys = isinstance(node.value, ast.Name) and node.value.id == "sys"
            if is_sys and node.attr not in OF_SYS:
                yield f"sys.{node.attr}"
            if node.attr.startswith("__") and node.attr not in ("__name__", "__init__", "__doc__"):
                yield node.attr


def candidates(module: Any) -> list[tuple[str, Callable[..., Any], int]]:
    """What may be called to sort: name, function, number of arguments it must have; the likeliest first."""
    found = []
    for name, thing in list(vars(module).items()):
        if inspect.isfunction(thing) and thing.__module__ == module.__name__:
            found.append((name, thing))
        elif inspect.isclass(thing) and thing.__module__ == module.__name__:
            try:
                one = thing()
            except Exception:
                continue
            methods = inspect.getmembers(one, lambda method: inspect.ismethod(method) or inspect.isfunction(method))
            found += [(f"{name}.{label}", method) for label, method in methods if not label.startswith("__")]
    ranked = []
    for place, (name, function) in enumerate(found):
        kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
        parameters = inspect.signature(function).parameters.values()
        needed = sum(p.default is p.empty for p in parameters if p.kind in kinds)
        if needed in (1, 3):
            likely = "quick" in name.lower() and "sort" in name.lower()
            ranked.append((not likely, "sort" not in name.lower(), needed != 1, place, name, function, needed))
    return [(name, function, needed) for *_, name, function, needed in sorted(ranked, key=lambda entry: entry[:4])]


def sort(function: Callable[..., Any], needed: int, numbers: list[int]) -> tuple[Any, bool]:
    """What the function makes of a list, returned or in place; and whether it changed the list."""
    given = list(numbers)
    returned = function(given) if needed == 1 else function(given, 0, len(given) - 1)
    result = given if returned is None else list(returned)
    return result, given != numbers


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
        for name, function, needed in candidates(module):
            answer |= {"function": name, "error": None}
            try:
                if sort(function, needed, SMALL)[0] == sorted(SMALL):
                    break
            except BaseException as error:
                answer["error"] = _said(error)
        if answer["function"] and not answer.get("error"):
            answer |= _run(function, needed, cases)
    out.write("\n" + json.dumps(answer, default=str) + "\n")


def _run(function: Callable[..., Any], needed: int, cases: list[list[int]]) -> dict[str, Any]:
    results: list[Any] = []
    changed = False
    for number, case in enumerate(cases):
        try:
            result, touched = sort(function, needed, case)
        except BaseException as error:
            return {"sorted": results, "error": f"case {number}: {_said(error)}"}
        results.append(result)
        changed = changed or touched
    return {"sorted": results, "changes_input": changed}


def _said(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}"[:200]


main()
