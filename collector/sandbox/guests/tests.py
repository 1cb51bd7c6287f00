"""In the sandbox: `tests.py FILE`: says what the project's files are made of, then runs the test functions of one.

First a line of JSON from before any of the project runs. Then a line for each test: the word that was on stdin, its
name, and `ok` or its failure. The project does not know the word, so it cannot speak for the tests that it ends early.
"""

import ast
import importlib.util
import io
import json
import sys
from collections.abc import Iterator
from pathlib import Path

PROJECT = Path("/w/project")
# What reaches for the test program itself; a project that is only restructured has no use for it.
REACHING = {"_exit", "_getframe", "_current_frames", "f_back", "f_locals", "tb_frame", "gi_frame", "settrace"}
REACHING |= {"setprofile", "__subclasses__", "__builtins__", "__stdout__", "builtins", "ctypes", "gc", "inspect"}
REACHING |= {"eval", "exec", "lseek", "pread", "orig_argv"}


def _names(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            yield node.id
        elif isinstance(node, ast.Attribute):
            yield node.attr
        elif isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (alias.name for alias in node.names)
            yield (node.module or "").partition(".")[0]


def made_of() -> dict[str, dict[str, list[str]]]:
    """Of each file the functions and classes that it defines itself, and what it reaches for."""
    found: dict[str, dict[str, list[str]]] = {}
    for path in sorted(PROJECT.rglob("*.py")):
        try:
            tree = ast.parse(path.read_text(encoding="utf-8"))
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            continue  # the tests will say so
        defined = [node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.ClassDef)]
        reaches = sorted(REACHING.intersection(_names(tree)))
        found[path.relative_to(PROJECT).as_posix()] = {"defines": defined, "reaches": reaches}
    return found


def main(test: str) -> None:
    """See above."""
    write = sys.stdout.write
    word = sys.stdin.readline().strip()
    write(json.dumps(made_of()) + "\n")
    sys.stdout.flush()
    sys.stdin, sys.stdout = io.StringIO(), io.StringIO()
    sys.path.insert(0, str(PROJECT))
    try:
        spec = importlib.util.spec_from_file_location("tests_given", PROJECT / test)
        assert spec and spec.loader
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    except BaseException as error:
        write(f"\n{word} import {_said(error)}\n")
        return
    for name, function in module.__dict__.items():
        if name.startswith("test_"):
            try:
                function()
            except BaseException as error:
                write(f"\n{word} {name} {_said(error)}\n")
            else:
                write(f"\n{word} {name} ok\n")


def _said(error: BaseException) -> str:
    return " ".join(f"{type(error).__name__}: {error}".split())[:200]


main(sys.argv[1])
