"""Where LM Studio keeps its `lms` command, when it is not on the PATH."""

from pathlib import Path

import pytest

from collector.backends import lms


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    return tmp_path


def put(folder: Path) -> str:
    """An `lms` in that folder."""
    command = folder / "bin" / "lms"
    command.parent.mkdir(parents=True)
    command.write_text("#!/bin/sh\n")
    command.chmod(0o755)
    return str(command)


def test_the_home_of_versions_before_0_3_6_is_looked_at_last(home: Path) -> None:
    assert lms.find() is None
    old = put(home / ".cache" / "lm-studio")
    assert lms.find() == old
    usual = put(home / ".lmstudio")
    assert lms.find() == usual


def test_a_home_that_the_pointer_names_comes_first(home: Path) -> None:
    put(home / ".lmstudio")
    (home / ".lmstudio-home-pointer").write_text(f"{home / 'My 模型'}\n", encoding="utf-8")
    assert lms.find() == str(home / ".lmstudio" / "bin" / "lms")  # nothing is there yet
    named = put(home / "My 模型")
    assert lms.find() == named


@pytest.mark.parametrize("said", [b"", b"\n", b"\xff\xfe", b"/no/such/folder"])
def test_a_pointer_that_says_nothing_of_use_hides_nothing(home: Path, said: bytes) -> None:
    usual = put(home / ".lmstudio")
    (home / ".lmstudio-home-pointer").write_bytes(said)
    assert lms.find() == usual


def test_the_path_comes_before_any_home(home: Path) -> None:
    put(home / ".lmstudio")
    on_path = put(home)
    assert lms.find() == on_path
