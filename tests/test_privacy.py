"""What must not be published does not get through."""

import getpass
import socket

import pytest

from collector import privacy
from collector.privacy import scrub


@pytest.fixture(autouse=True)
def someone(monkeypatch: pytest.MonkeyPatch) -> None:
    """A person and a machine with names, whoever runs the tests."""
    monkeypatch.setattr(getpass, "getuser", lambda: "anna")
    monkeypatch.setattr(socket, "gethostname", lambda: "anna-studio.local")


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("cannot open /Users/anna/models/x.gguf", "cannot open ~/…"),
        ("cannot open '/home/bob/models/x.gguf': no such file", "cannot open '~/…': no such file"),
        ('{"error":"no /root/.cache/x"}', '{"error":"no ~/…"}'),
        (r"cannot open C:\Users\bob\models\x.gguf", "cannot open ~/…"),
        (r'{"error":"no C:\\Users\\bob\\x.gguf"}', '{"error":"no ~/…"}'),  # as JSON has it
        ("/Users/bob", "~/…"),
        ("no /Volumes/BobsSSD/x", "no ~/…"),
        ("no /private/var/folders/zz/zyx/T/x", "no ~/…"),
        ("Authorization: Bearer sk-lm-AbCdEfGh:0123456789abcdefghij", "Authorization: [token]"),
        ("key sk-lm-AbCdEfGh:0123456789abcdefghij is wrong", "key [token] is wrong"),
        ("ask bob.smith+x@example.co.uk", "ask [e-mail]"),
        ("no route to 192.168.1.20:1234", "no route to [address]:1234"),
        ("no route to fe80::1c2d:3e4f:5a6b:7c8d", "no route to [address]"),
        ("no route to 2001:db8:0:1:1:1:1:1", "no route to [address]"),
        ("on aa:bb:cc:dd:ee:ff", "on [address]"),
        ("started by anna", "started by [name]"),
        ("on anna-studio.local", "on [name]"),
        ("on anna-studio", "on [name]"),
    ],
)
def test_what_tells_of_person_place_or_machine_is_taken_out(text: str, clean: str) -> None:
    assert scrub(text) == clean


@pytest.mark.parametrize(
    "text",
    [
        "Unexpected endpoint or method. (POST /v1/chat/completions)",
        "[Errno 111] Connection refused",
        "connect to 127.0.0.1:1234 failed",
        "at 12:30:45 the model was unloaded",
        "llama.cpp 2.41.0, build b9251-e2b129e1b",
        "context 131,072 is too long: 9,000 of 4,096 tokens",
        "std::bad_alloc",
        "",
    ],
)
def test_what_tells_nothing_stays(text: str) -> None:
    assert scrub(text) == text


def test_scrubbed_text_stays_as_it_is_when_scrubbed_again() -> None:
    once = scrub("/Users/anna/x on anna-studio.local (192.168.1.20, a@b.de, Bearer abc)")
    assert scrub(once) == once


def test_a_person_without_a_name_is_no_trouble(monkeypatch: pytest.MonkeyPatch) -> None:
    def nobody() -> str:
        raise KeyError("uid not found: 1000")

    monkeypatch.setattr(getpass, "getuser", nobody)
    monkeypatch.setattr(socket, "gethostname", lambda: "")
    assert scrub("out of memory") == "out of memory"


@pytest.mark.parametrize("login", ["root", "me", ""])
def test_names_that_are_everybodys_or_too_short_to_tell_stay(login: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(getpass, "getuser", lambda: login)
    monkeypatch.setattr(socket, "gethostname", lambda: "")
    assert scrub("the root of me") == "the root of me"


def test_a_name_is_taken_literally(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(getpass, "getuser", lambda: "a.n+a")
    monkeypatch.setattr(socket, "gethostname", lambda: "")
    assert scrub("by a.n+a and axnna") == "by [name] and …"


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("model_key", "Qwen/QWEN3CODER-30B"),
        ("quantization", "Q4_K_M"),
        ("server_version", "0.11.0.1"),
        ("runtime_version", "llama.cpp-mac-arm64-apple-metal-advsimd 2.41.0"),
    ],
)
def test_names_and_versions_stay_as_they_are_whoever_is_logged_in(
    monkeypatch: pytest.MonkeyPatch, column: str, value: str
) -> None:
    """Or aliases in models.csv would miss, and one engine have two versions on two machines."""
    for login in ("mac", "anna"):
        monkeypatch.setattr(getpass, "getuser", lambda login=login: login)
        assert privacy.clean({column: value}) == {column: value}
