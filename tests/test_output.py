"""What the system's own programs print."""

import plistlib
import sys

import pytest

from collector.output import entries, output

PRINTS = (sys.executable, "-S", "-c")


@pytest.mark.parametrize(
    "command", [("no-such-command-anywhere",), (*PRINTS, "print(1); raise SystemExit(1)"), (*PRINTS, "print()")]
)
def test_a_command_that_does_not_answer_tells_nothing(command: tuple[str, ...]) -> None:
    assert output(*command) is None


def test_a_command_tells_what_it_printed_and_is_given_variables_but_no_token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LM_API_TOKEN", "secret")
    shown = "import os; print(' ', os.environ.get('TOLD'), os.environ.get('LM_API_TOKEN'), ' ')"
    assert output(*PRINTS, shown, TOLD="so") == "so None"


def test_a_name_cut_within_a_character_hides_nothing_else() -> None:
    cut = r"import sys; sys.stdout.buffer.write(b'pid 7, \xe4\xb8 80 cores')"
    assert output(*PRINTS, cut) == "pid 7, \ufffd 80 cores"


@pytest.mark.parametrize(
    "told",
    [
        *(None, "", "no plist", "<?xml version='1.0'?><plist><array><dict>"),
        "<plist><dict><key>a</key><integer>x</integer></dict></plist>",  # ValueError
        "<plist><dict><string>without a key</string></dict></plist>",
        *(plistlib.dumps(one).decode() for one in ([], {"a": 1}, ["text"])),
    ],
)
def test_a_list_without_entries_has_none(told: str | None) -> None:
    assert entries(told) == []


def test_entries_are_the_dictionaries_of_a_list() -> None:
    assert entries(plistlib.dumps([{"cores": 80}, "odd", {"cores": 60}]).decode()) == [{"cores": 80}, {"cores": 60}]
