"""A Mac's kernel in place of this one's, for tests that read it themselves."""

from collections.abc import Iterator

import pytest

from collector import environment, probe
from collector.memory import macos, readings
from tests.macs import Mac, install
from tests.macs.kernel import Kernel


def a_mac(monkeypatch: pytest.MonkeyPatch, which: Mac) -> Iterator[Kernel]:
    """In this process, until the test ends."""
    made = Kernel(which, copies=False)
    with monkeypatch.context() as patch:
        install.everywhere(patch.setattr, made)
        for module in (readings, environment):
            patch.setattr(module, "IS_MACOS", True)
        patch.setattr(probe, "PLATFORM", "darwin")
        _forget()
        yield made
    _forget()


def _forget() -> None:
    """What was found of the library."""
    for kept in (macos._library, macos._host, macos._thermal_token):
        kept.cache_clear()
