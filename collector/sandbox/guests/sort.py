"""In the sandbox: has solution.py sort lists, and states what came of it by value. The host alone judges.

The first line of stdin says what to do: `word`, with which each line that counts begins, and either `cases`, lists of
plain integers, or `asked`, lists of numbers that only the host knows (`asked.py`). Nothing is kept secret here.
"""

# What json, ast, inspect and typing are made of: to import those takes longer here than most solutions run.
from __future__ import annotations

import _ast
import _json
import builtins
import io
import sys
import time
import types

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

    Sort = Callable[[list[Any]], Any]  # in place, or returned

FOLDER = "/w"
SOLUTION = f"{FOLDER}/solution.py"
SMALL = [3, 1, 2, 2]
SORTS = {"sorted", "sort", "argsort", "heapify", "heappop", "nsmallest", "nlargest", "merge", "insort", "insort_left"}
SORTS |= {"insort_right", "bisect", "bisect_left", "bisect_right", "heappush", "heappushpop", "heapreplace"}

ONLY_TREE = 0x400  # ast.PyCF_ONLY_AST


def loads(line: str) -> Any:
    """What JSON says."""
    context: Any = types.SimpleNamespace(strict=True, memo={}, object_hook=None, object_pairs_hook=None)
    context.parse_float, context.parse_int, context.parse_constant = float, int, float
    return _json.make_scanner(context)(line, 0)[0]


def dumps(value: Any) -> str:
    """As JSON; what has no place there as its text."""
    encode = _json.make_encoder({}, str, _json.encode_basestring_ascii, None, ": ", ", ", False, False, True)
    return "".join(encode(value, 0))


def inner(node: _ast.AST) -> Iterator[_ast.AST]:
    """A node of a tree and all within it."""
    left: list[Any] = [node]
    while left:
        one = left.pop()
        if isinstance(one, list):
            left += one
        elif isinstance(one, _ast.AST):
            yield one
            left += [getattr(one, name, None) for name in one._fields]


def named_sorts(tree: _ast.Module) -> list[str]:
    """Sorts of Python's own that are named outside of a demonstration: a hint, where nothing else can be seen."""
    body = [node for node in tree.body if not isinstance(node, _ast.If)]
    found = set[str]()
    for node in (one for outer in body for one in inner(outer)):
        if isinstance(node, _ast.Name | _ast.Attribute):
            found.add(node.id if isinstance(node, _ast.Name) else node.attr)
        elif isinstance(node, _ast.alias):
            found.add(node.name.rpartition(".")[2])
    return sorted(found & SORTS)


class Absent(types.ModuleType):
    """Stands for a package that is not here; a decorator of it leaves functions as they are."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.__path__: list[str] = []

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return Absent(name)

    def __call__(self, *given: Any, **named: Any) -> Any:
        """As a decorator: the function itself."""
        return given[0] if len(given) == 1 and isinstance(given[0], types.FunctionType) else self

    def __iter__(self) -> Iterator[Any]:
        return iter(())


def load(source: str, names: dict[str, Any]) -> tuple[types.ModuleType, list[str]]:
    """The solution as a module in which these are the built-in names, and the packages that it lacks."""
    code = compile(source, SOLUTION, "exec", dont_inherit=True)
    lacking: list[str] = []
    while True:
        module = types.ModuleType("solution")
        module.__dict__.update(__file__=SOLUTION, __builtins__=names)
        sys.modules["solution"] = module
        try:
            exec(code, module.__dict__)
        except ModuleNotFoundError as error:
            name = error.name or ""
            if name.partition(".")[0] in sys.stdlib_module_names or not name or name in sys.modules:
                raise
            lacking.append(name)
            sys.modules[name] = Absent(name)
        else:
            return module, lacking


def candidates(module: Any) -> list[tuple[str, Sort]]:
    """What may be called to sort, by name; the likeliest first."""
    found: list[tuple[str, int, Sort]] = []
    for name, thing in list(vars(module).items()):
        if isinstance(thing, type):
            found += _methods(name, thing) if thing.__module__ == module.__name__ else []
        elif callable(thing) and _is_own(thing, module.__name__):
            found += [(name, *way) for way in _ways(thing)]
    ranked = []
    for place, (name, needed, function) in enumerate(found):
        likely = "quick" in name.lower() and "sort" in name.lower()
        ranked.append((not likely, "sort" not in name.lower(), needed != 1, place, name, function))
    return [(name, function) for *_, name, function in sorted(ranked, key=lambda entry: entry[:4])]


def _is_own(thing: Any, module: str) -> bool:
    """A function of the solution, one wrapped or with arguments filled in, or an object of a class of it."""
    if isinstance(thing, Absent):
        return False
    inner = getattr(thing, "func", thing)  # functools.partial
    return module in (getattr(inner, "__module__", None), type(thing).__module__)


def _ways(function: Callable[..., Any]) -> list[tuple[int, Sort]]:
    """How many arguments it must have, and how to call it with a list: alone, or with the range, either way."""
    try:
        needed = _needed(function)
    except (TypeError, ValueError):
        return []
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
    import inspect

    try:
        takes = _needed(made)
        one = made() if not takes else made(list(SMALL))
    except Exception:
        return []
    methods = inspect.getmembers(one, lambda method: inspect.ismethod(method) or inspect.isfunction(method))
    usual = [(f"{name}.{label}", label, method) for label, method in methods if not label.startswith("__")]
    usual += [(name, label, method) for label, method in methods if label == "__call__"]
    if not takes:
        return [(full, *way) for full, _, method in usual for way in _ways(method)]
    return [
        (full, 1, lambda given, label=label: getattr(made(given), label)())  # type: ignore[misc]
        for full, label, method in usual
        if takes == 1 and not _needed(method)
    ]


def _needed(function: Callable[..., Any]) -> int:
    if isinstance(function, types.FunctionType) and not vars(function):  # where nothing says that it takes others
        return function.__code__.co_argcount - len(function.__defaults__ or ())
    import inspect

    kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    parameters = inspect.signature(function).parameters.values()
    return sum(p.default is p.empty for p in parameters if p.kind in kinds)


def sort(function: Sort, numbers: list[Any]) -> tuple[list[Any], bool]:
    """What the function makes of a list, returned or in place; and whether it changed the list."""
    given = list(numbers)
    returned = function(given)
    result = given if returned is None else list(returned)
    return result, any(now is not before for now, before in zip(given, numbers, strict=False))


def chosen(module: types.ModuleType) -> tuple[str | None, Sort | None, str | None]:
    """The first that sorts a few numbers, by name; else the likeliest, and what went wrong with it."""
    tried: list[tuple[str, Sort, str | None]] = []
    for name, function in candidates(module):
        error_said = None
        try:
            if sort(function, SMALL)[0] == sorted(SMALL):
                return name, function, None
        except BaseException as error:
            error_said = _said(error)
        tried.append((name, function, error_said))
    return tried[0] if tried else (None, None, None)


def main() -> None:
    """See above."""
    write, flush, read = sys.stdout.write, sys.stdout.flush, sys.stdin.readline
    task = loads(read())
    word = task["word"]

    def ask(*parts: Any) -> str:
        write(f"{word} {' '.join(map(str, parts))}\n")
        flush()
        return read().strip()

    with open(SOLUTION, encoding="utf-8") as file:  # noqa: PTH123 - pathlib takes long to import here
        source = file.read()
    try:
        tree = compile(source, "<unknown>", "exec", ONLY_TREE, dont_inherit=True)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        write(dumps({"word": word, "syntax": f"{type(error).__name__}: {error}"}) + "\n")
        return
    sys.path.insert(0, FOLDER)
    asked = __import__("asked") if "asked" in task else None
    if asked:
        asked.prepare(ask, SOLUTION)
    sys.stdin, sys.stdout = io.StringIO(), io.StringIO()
    time.sleep = lambda seconds: None  # nobody is watching
    answer: dict[str, Any] = {"word": word, "sorted": [], "function": None, "sorts": named_sorts(tree)}
    try:
        module, answer["lacking"] = load(source, asked.SHOWN if asked else vars(builtins))
    except BaseException as error:
        answer["error"] = f"on import: {_said(error)}"
    else:
        answer["function"], function, answer["error"] = chosen(module)
        if function and not answer["error"] and asked:
            answer["error"] = _run_asked(function, task["asked"], asked.Asked, ask)
        elif function and not answer["error"]:
            answer |= _run(function, task["cases"])
    if asked:
        ask("end", dumps(answer))
    else:
        write("\n" + dumps(answer) + "\n")


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
    return {"sorted": results, "changes_input": changed}


def _run_asked(function: Sort, lists: list[list[int]], kind: Any, ask: Callable[..., str]) -> str | None:
    for names in lists:
        ask("begin")
        try:
            result, _ = sort(function, [kind(name) for name in names])
            found = [int.__int__(one) if type(one) is kind else None for one in result]
        except BaseException as error:
            return _said(error)
        ask("sorted", dumps(found))
    return None


def _said(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}"[:200]


main()
