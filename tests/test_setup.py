"""scripts/setup with whatever Python a Mac has: found or refused in one sentence, and an environment that stays usable.

Pythons and uv are stand-ins that note what they are asked for; nothing is installed.
"""

import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from collector.schema import CLONE

TOOLS = ("bash", "cat", "cksum", "dirname", "env", "ln", "mkdir", "rm", "sh")
HASHES = "--require-hashes --only-binary :all:"
# A Python of another version: it answers, makes environments of itself, and has pip say what it would do.
PYTHON = """#!/bin/sh
case "$1 $2" in
  "-m venv") mkdir -p "$3/bin"; echo "$0" >"$3/made-by"; ln -s "{own}" "$3/bin/python" ;;
  "-m pip") shift 2; echo "pip $*" >>"{log}" ;;
  *) exec "{real}" -c 'import sys; sys.version_info = ({version}, 0, "final", 0); exec(sys.argv[1])' "$2" ;;
esac
"""
UV = """#!/bin/sh
echo "uv $*" >>"{log}"
[ "$1" != venv ] || {{ mkdir -p "$5/bin"; ln -s "{python}" "$5/bin/python"; }}
"""


class Machine:
    """A clone whose path has blanks and Chinese, on a machine with these programs and no others."""

    def __init__(self, folder: Path) -> None:
        self.clone = folder / "Documents" / "我的 clone"
        self.bin = folder / "bin"
        self.log = folder / "log"
        self.bin.mkdir()
        for name in TOOLS:
            (self.bin / name).symlink_to(shutil.which(name) or name)
        for name in ("pyproject.toml", "requirements.lock", "requirements-test.lock"):
            self.put(name)
        for name in ("setup", "setup-tests"):
            self.put(f"scripts/{name}")

    def put(self, name: str) -> None:
        (self.clone / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(CLONE / name, self.clone / name)

    def program(self, name: str, text: str) -> Path:
        (self.bin / name).write_text(text, encoding="utf-8")
        (self.bin / name).chmod(0o755)
        return self.bin / name

    def python(self, name: str, version: str) -> Path:
        words = {"own": self.bin / name, "log": self.log, "real": sys.executable}
        return self.program(name, PYTHON.format(version=version.replace(".", ", "), **words))

    def setup(self, script: str = "setup") -> subprocess.CompletedProcess[str]:
        """Source it, with nothing in the environment but the path."""
        self.log.write_text("", encoding="utf-8")
        asked = ["bash", "-c", '. "$0"; command -v python', str(self.clone / "scripts" / script)]
        return subprocess.run(asked, env={"PATH": str(self.bin)}, cwd="/", capture_output=True, text=True, timeout=60)

    @property
    def asked(self) -> list[str]:
        """What pip and uv were asked for."""
        return self.log.read_text(encoding="utf-8").splitlines()

    @property
    def made_by(self) -> str:
        """The Python that made the environment."""
        return Path((self.clone / ".venv" / "made-by").read_text(encoding="utf-8").strip()).name


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


@pytest.mark.parametrize(
    ("name", "version"),
    [
        *((f"python3.{minor}", f"3.{minor}") for minor in (11, 12, 13, 14)),
        ("python3", "3.14"),
        ("python", "3.11"),
    ],
)
def test_each_python_that_the_lock_has_wheels_for_is_found_by_whatever_name(
    machine: Machine, name: str, version: str
) -> None:
    machine.python(name, version)
    done = machine.setup()
    assert done.returncode == 0, done.stderr
    assert machine.made_by == name
    assert Path(done.stdout.strip()) == machine.clone / ".venv" / "bin" / "python"
    assert machine.asked == [
        f"pip install --quiet {HASHES} --requirement requirements.lock",
        "pip install --quiet --no-build-isolation --no-deps --editable .",
    ]
    again = machine.setup()
    assert (again.returncode, again.stderr, machine.asked) == (0, "", [])


@pytest.mark.parametrize(
    ("pythons", "said"),
    [
        ({"python3": "3.9"}, "and python3 is 3.9"),
        ({"python3": "3.15", "python3.15": "3.15"}, "and python3 is 3.15"),
        ({}, "and there is none"),
    ],
)
def test_another_is_refused_in_one_sentence(machine: Machine, pythons: dict[str, str], said: str) -> None:
    for name, version in pythons.items():
        machine.python(name, version)
    done = machine.setup()
    assert done.returncode == 1
    assert done.stderr.splitlines() == [
        f"error: Python 3.11 to 3.14 is needed, {said}: 'brew install python@3.13' or 'brew install uv' brings one."
    ]
    assert machine.asked == []


def test_a_newer_one_is_passed_over_for_one_that_suits(machine: Machine) -> None:
    machine.python("python3", "3.15")
    machine.python("python3.14", "3.14")
    assert machine.setup().returncode == 0
    assert machine.made_by == "python3.14"


def test_uv_alone_is_asked_for_one_that_suits(machine: Machine) -> None:
    """Without the upper bound it downloads the newest there is."""
    real = machine.python("its-own", "3.14")
    machine.program("uv", UV.format(log=machine.log, python=real))
    assert machine.setup().returncode == 0
    assert machine.asked == [
        "uv venv --quiet --python >=3.11,<3.15 venv.nosync",
        f"uv pip install --quiet --python .venv/bin/python {HASHES} --requirement requirements.lock",
        "uv pip install --quiet --python .venv/bin/python --no-build-isolation --no-deps --editable .",
    ]


def test_the_bounds_are_the_projects_wherever_they_stand() -> None:
    wanted = tomllib.loads((CLONE / "pyproject.toml").read_text(encoding="utf-8"))["project"]["requires-python"]
    setup = (CLONE / "scripts" / "setup").read_text(encoding="utf-8")
    low, high = (int(minor) for minor in re.findall(r"3\.(\d+)", wanted))
    assert f"PYTHONS='{wanted}'" in setup
    assert f"(3, {low}) <= sys.version_info < (3, {high})" in setup
    assert f"Python 3.{low} to 3.{high - 1} is needed" in setup
    assert all(f"python3.{minor} " in setup for minor in range(low, high))


# ---------------------------------------------------------------- an environment that stays usable


def test_nothing_of_it_lies_in_a_folder_that_macos_hides(machine: Machine) -> None:
    """site.py skips .pth files with UF_HIDDEN; macOS sets it below names with a dot, iCloud copies all but .nosync."""
    machine.python("python3", "3.13")
    machine.setup()
    real = (machine.clone / ".venv").resolve()
    assert (machine.clone / ".venv").is_symlink()
    assert [part for part in real.relative_to(machine.clone).parts if part.startswith(".")] == []
    assert real.suffix == ".nosync"
    ignored = (CLONE / ".gitignore").read_text(encoding="utf-8").splitlines()
    assert {".venv", f"{real.name}/"} <= set(ignored)


def test_one_that_was_made_before_in_a_hidden_folder_is_replaced(machine: Machine) -> None:
    machine.python("python3", "3.13")
    (machine.clone / ".venv" / "bin").mkdir(parents=True)
    assert machine.setup().returncode == 0
    assert (machine.clone / ".venv").is_symlink()


def test_one_whose_python_is_gone_or_became_too_new_is_made_again(machine: Machine) -> None:
    """`brew` removes a minor version, or moves `python3` on; the stamp stays right."""
    old = machine.python("python3.12", "3.12")
    machine.setup()
    old.unlink()
    machine.python("python3.13", "3.13")
    assert machine.setup().returncode == 0
    assert (machine.made_by, len(machine.asked)) == ("python3.13", 2)
    machine.python("python3.13", "3.15")
    machine.python("python3.14", "3.14")
    machine.setup()
    assert machine.made_by == "python3.14"


def test_one_of_a_clone_that_was_moved_is_made_again(machine: Machine) -> None:
    """The programs in it name the Python by its whole path."""
    machine.python("python3", "3.13")
    machine.setup()
    machine.clone = machine.clone.rename(machine.clone.with_name("moved"))
    (machine.clone / ".venv" / "made-by").unlink()
    assert machine.setup().returncode == 0
    assert machine.made_by == "python3"


def test_a_change_of_what_it_is_made_of_is_installed_into_it(machine: Machine) -> None:
    machine.python("python3", "3.13")
    machine.setup()
    (machine.clone / ".venv" / "made-by").write_text("the first time", encoding="utf-8")
    with (machine.clone / "requirements.lock").open("a", encoding="utf-8") as lock:
        lock.write("\n")
    machine.setup()
    assert (machine.made_by, len(machine.asked)) == ("the first time", 2)


def test_a_disk_without_links_is_said_in_one_sentence(machine: Machine) -> None:
    machine.python("python3", "3.13")
    (machine.bin / "ln").unlink()
    machine.program("ln", "#!/bin/sh\necho 'ln: .venv: Operation not supported' >&2; exit 1\n")
    done = machine.setup()
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith("error: this disk takes no links, as exFAT and some network shares:")
    assert machine.asked == []


# ---------------------------------------------------------------- what is installed


def test_what_tests_want_is_added_by_what_runs_them_and_by_nothing_else(machine: Machine) -> None:
    machine.python("python3", "3.13")
    machine.setup()
    assert machine.setup("setup-tests").returncode == 0
    locks = "--requirement requirements.lock --requirement requirements-test.lock"
    assert machine.asked == [f"pip install --quiet {HASHES} {locks}"]
    assert (machine.setup("setup-tests").stderr, machine.asked) == ("", [])
    wanting = {
        path.name
        for path in (CLONE / "scripts").iterdir()
        if path.is_file() and '/setup-tests"' in path.read_text(encoding="utf-8", errors="replace")
    }
    assert wanting == {"audit", "bench", "check", "test"}
