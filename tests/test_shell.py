"""Shell scripts run on a Mac, with bash 3.2 and BSD's tools: what scripts/check-shell finds, and what it lets pass."""

import importlib.machinery
import importlib.util
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from collector.schema import CLONE

WRONG = [
    "declare -A seen",
    "  local -n name=$1",
    "mapfile -t lines <file",
    "ls | readarray -t lines",
    'echo "${name^^}"',
    'echo "${name,,}"',
    'echo "${name@Q}"',
    "make |& cat",
    "make &>>log",
    "a) one ;;&",
    "if [[ -v NAME ]]; then",
    "shopt -s globstar",
    "wait -n",
    "printf '%(%F)T'",
    "echo $EPOCHSECONDS",
    "for n in {1..9..2}; do",
    'echo "${list[-1]}"',
    "exec {out}>log",
    "cp --parents a b",
    "if ! rm --force a; then",
    "env --ignore-signal=INT true",
    "timeout 5 true",
    "count=$(nproc)",
    "sha256sum file",
    "sed -i 's/a/b/' file",
    "sed -Ei 's/a/b/' file",
    "date -d yesterday",
    "stat -c %s file",
    "grep -oP 'a' file",
    "cp -t folder file",
    "ln -sr a b",
    "xargs -d x",
    "head -n -1 file",
    "find . -name a -printf %p",
    "du -sb .",
    "base64 -w 0 file",
    "mktemp -p /tmp",
]
RIGHT = [
    "declare -a list",
    'echo "${name:-}" "${name%,*}" "${name#* * }" "${name:+,x}"',
    "make >>log 2>&1 || true",
    "a) one ;;",
    "printf '%s' \"$(date +%F)\"",
    "for n in {1..9}; do",
    "env -u LM_API_TOKEN uv venv --quiet",
    "pip install --quiet",
    "git ls-files --cached",
    "grep --include='*.py' -rE x .",
    "sed -i '' 's/a/b/' file",
    "sed -n 's/^[a-z]i*//p' file",
    "cp -R a b",
    "ln -sfn a b",
    "head -n 1 file",
    "du -sm .",
    "# timeout 5 true",
    "echo one # mapfile",
    "scripts/timeout --quiet",
]


@pytest.fixture(scope="module")
def check() -> Any:
    """scripts/check-shell, which has no name that can be imported."""
    loader = importlib.machinery.SourceFileLoader("check_shell", str(CLONE / "scripts" / "check-shell"))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader("check_shell", loader))  # type: ignore[arg-type]
    loader.exec_module(module)
    return module


def run(*paths: Path) -> subprocess.CompletedProcess[str]:
    """As scripts/check runs it."""
    path = f"{CLONE / '.venv' / 'bin'}{os.pathsep}{os.environ['PATH']}"
    command = [sys.executable, str(CLONE / "scripts" / "check-shell"), *map(str, paths)]
    return subprocess.run(command, env={**os.environ, "PATH": path}, capture_output=True, text=True, timeout=120)


def test_every_shell_script_runs_on_a_mac() -> None:
    done = run()
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_none_is_left_out(check: Any) -> None:
    names = {path.relative_to(CLONE).as_posix() for path in check.scripts()}
    assert {"scripts/setup", "scripts/setup-tests", "scripts/demo", "scripts/browser", ".ci/run"} <= names
    others = {"scripts/check-shell", "scripts/published-addresses", "scripts/vendor-vega"}  # Python
    files = {path for path in (CLONE / "scripts").iterdir() if path.is_file() and not path.suffix}
    assert {path.relative_to(CLONE).as_posix() for path in files} - names == others


@pytest.mark.parametrize("line", WRONG)
def test_what_a_mac_lacks_is_found(check: Any, line: str) -> None:
    assert [number for number, _ in check.faults(f"true\n{line}\n")] == [2]


@pytest.mark.parametrize("line", RIGHT)
def test_what_it_has_passes(check: Any, line: str) -> None:
    assert check.faults(line) == []


def test_each_rule_has_its_example(check: Any) -> None:
    assert [pattern.pattern for pattern in check.RULES if not any(map(pattern.search, WRONG))] == []


def test_what_is_handed_to_another_program_is_no_shell(check: Any) -> None:
    assert check.faults("python - <<'END'\ntimeout 5\nEND\ntimeout 5\n") == [(4, "not on a Mac")]


def test_a_fault_of_syntax_and_one_of_the_shell_are_said(tmp_path: Path) -> None:
    (tmp_path / "broken").write_text("#!/usr/bin/env bash\nif true; then\n", encoding="utf-8")
    (tmp_path / "careless").write_text("#!/usr/bin/env bash\ncd $1 || exit\n", encoding="utf-8")
    (tmp_path / "gnu").write_text("#!/usr/bin/env bash\ntac file\n", encoding="utf-8")
    for name, said in (("broken", "syntax error"), ("careless", "SC2086"), ("gnu", "gnu:2: not on a Mac")):
        done = run(tmp_path / name)
        assert (done.returncode, said in done.stdout + done.stderr) == (1, True), done
