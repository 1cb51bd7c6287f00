"""A disk that fills up in the middle of a run: what was measured is kept until it is stored or given up by a person."""

import errno
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from collector import journal, room, stopping, store
from collector import run as runs
from collector.commands._progress import trouble
from collector.errors import StoreFailed
from collector.schema import Results
from tests.loopback import Loopback
from tests.test_hardships import on
from tests.test_journal import FACTS, ID, ROWS, journals, rows_of
from tests.test_run import left_behind, rows, run
from tests.test_run import loopback as loopback
from tests.test_run import quick as quick

pytestmark = pytest.mark.usefixtures("quick")
FULL = [errno.ENOSPC, errno.EDQUOT]


class Disk:
    """Takes nothing while it is full, but into room that was kept. `tries`: of writing the run's file."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.is_full = False
        self.tries = 0
        self.at_try: Callable[[int], None] = lambda count: None

    def refuse(self) -> None:
        if self.is_full:
            raise OSError(self.number, os.strerror(self.number))


@pytest.fixture(params=FULL)
def disk(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Disk:
    disk = Disk(request.param)
    real = os.pwrite

    def pwrite(descriptor: int, data: bytes, offset: int) -> int:
        disk.refuse()
        return real(descriptor, data, offset)

    def encode(*arguments: Any) -> None:
        disk.tries += 1
        disk.at_try(disk.tries)
        disk.refuse()
        really(*arguments)

    really = store._encode
    monkeypatch.setattr(journal.os, "pwrite", pwrite)
    monkeypatch.setattr(store, "_encode", encode)
    monkeypatch.setattr(runs, "LOOK_S", 0)
    monkeypatch.setattr(room, "BYTES", 4096)
    return disk


def fill(disk: Disk) -> Callable[[], None]:
    return lambda: setattr(disk, "is_full", True)


def test_a_full_disk_is_waited_for_while_the_process_holds_what_it_measured(
    loopback: Loopback, results: Results, disk: Disk
) -> None:
    told: list[str] = []

    def make_room(count: int) -> None:  # each time it is tried in the results folder, then in that of the system
        disk.is_full = count < 7

    fills = on("begin", "b", fill(disk))

    def watch(stage: str, row: dict[str, Any]) -> None:
        fills(stage, row)
        if stage == "trouble":
            told.append(row["op"])
            assert "make room" in trouble(row)

    disk.at_try = make_room
    outcome = run(loopback, results, watch=watch)
    assert [row["prompt_id"] for row in rows(outcome, "request")] == [*"abc", *"cba"]
    assert {row["run_state"] for row in rows(outcome)} == {"complete"}
    assert (disk.tries, told) == (7, ["journal", "store"])
    assert left_behind(results) == [f"runs/{outcome.path.name if outcome.path else ''}"]


def test_a_person_may_give_it_up(loopback: Loopback, results: Results, disk: Disk) -> None:
    before = signal.getsignal(signal.SIGINT)

    def lose_patience(count: int) -> None:
        if count == 5:
            signal.raise_signal(signal.SIGINT)

    disk.at_try = lose_patience
    with stopping.watching(), pytest.raises(StoreFailed, match="could not be written") as failed:
        run(loopback, results, watch=on("begin", "b", fill(disk)))
    signal.signal(signal.SIGINT, before)
    assert "what its journal took before that is kept" in failed.value.remedy
    assert (disk.tries, failed.value.path) == (6, None)
    disk.is_full = False
    [saved] = store.recover(results)
    assert [row["prompt_id"] for row in rows_of(saved) if row["op"] == "request"] == ["a"]


def test_room_that_was_kept_takes_what_finds_no_other(results: Results, disk: Disk) -> None:
    with journal.Journal(results, ID) as held:
        held.facts(FACTS)
        disk.is_full = True
        give_back = held._room.give_back

        def given_back() -> bool:
            had = give_back()
            disk.is_full = not had
            return had

        held._room.give_back = given_back  # type: ignore[method-assign]
        held.operation(ROWS[0])
        assert held.failure is None
        disk.is_full = True
        held.operation(ROWS[1])
        assert held.failure == os.strerror(disk.number)
        assert len(journal.read(held.path).operations) == 1


@pytest.mark.parametrize("number", [*FULL, errno.EFBIG])
def test_without_room_for_a_run_nothing_is_asked(
    loopback: Loopback, results: Results, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    def full(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(room, "_fill", full)
    with pytest.raises(StoreFailed, match="cannot be written") as failed:
        run(loopback, results)
    assert ("make room" in failed.value.remedy) == (number in FULL)
    assert (loopback.asked, journals(results)) == ([], [])


def test_room_is_given_back_where_the_journal_cannot_be_made(results: Results, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> int:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    kept: list[room.Room] = []

    def keep(folder: Path) -> room.Room:
        kept.append(room.Room(folder))
        return kept[0]

    monkeypatch.setattr(journal, "Room", keep)
    monkeypatch.setattr(journal.locks, "held", refuse)
    with pytest.raises(StoreFailed, match="cannot be written"):
        journal.Journal(results, ID)
    assert kept[0]._file.closed


@pytest.mark.parametrize("has_call", [True, False])  # macOS lacks it
def test_room_is_on_the_disk_and_without_a_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, has_call: bool
) -> None:
    if not has_call:
        monkeypatch.delattr(os, "posix_fallocate", raising=False)
    monkeypatch.setattr(room, "BYTES", 3 << 20)
    kept = room.Room(tmp_path)
    about = os.fstat(kept._file.fileno())
    assert about.st_blocks * 512 >= room.BYTES
    assert list(tmp_path.iterdir()) == []
    assert [kept.give_back(), kept.give_back()] == [True, False]
    kept.close()
