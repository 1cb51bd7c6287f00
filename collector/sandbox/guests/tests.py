"""In the sandbox: `tests.py FILE FACADE`: says what the project's files define, then runs the test functions of one.

Two lines of JSON: what each file defines, from before any of it runs; then each test with None or its failure.
"""

import ast
import importlib.util
import io
import json
import sys
from pathlib import Path

PROJECT = Path("/w/project")


def defined(path: Path) -> list[str]:
    """Names of functions and classes that a file defines itself."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return [node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.ClassDef)]


def main(test: str) -> None:
    """See above."""
    out = sys.stdout
    files: dict[str, list[str] | str] = {}
    for path in sorted(PROJECT.rglob("*.py")):
        name = path.relative_to(PROJECT).as_posix()
        try:
            files[name] = defined(path)
        except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
            files[name] = f"{type(error).__name__}: {error}"
    out.write(json.dumps(files) + "\n")
    out.flush()
    sys.stdin, sys.stdout = io.StringIO(), io.StringIO()
    sys.path.insert(0, str(PROJECT))
    results: dict[str, str | None] = {}
    try:
        spec = importlib.util.spec_from_file_location("tests_given", PROJECT / test)
        assert spec and spec.loader
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    except BaseException as error:
        results["import"] = _said(error)
    else:
        for name, function in vars(module).items():
            if name.startswith("test_"):
                try:
                    function()
                    results[name] = None
                except BaseException as error:
                    results[name] = _said(error)
    out.write("\n" + json.dumps(results) + "\n")


def _said(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}"[:200]


main(sys.argv[1])
