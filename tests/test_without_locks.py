"""A results folder on a disk that refuses locks, as SMB shares, FAT and exFAT disks may: of folders, or of all."""

import errno
import fcntl
import os
import stat
from types import SimpleNamespace
from typing import Any

import pytest

from collector import journal, locks, store
from collector.schema import Results
from site_src import hooks
from site_src.warehouse import Warehouse
from tests.loopback import Loopback
from tests.test_journal import FACTS, ROWS, journals, rows_of
from tests.test_run import loopback as loopback
from tests.test_run import quick as quick
from tests.test_run import run

RUN_ID = FACTS["run_id"]


@pytest.fixture
def without_folders(monkeypatch: pytest.MonkeyPatch) -> None:
    """Folders take no lock; SMBClient and msdosfs: "Only regular files can have locks"."""
    real = fcntl.flock

    def flock(file: Any, kind: int) -> None:
        if stat.S_ISDIR(os.fstat(file).st_mode):
            raise OSError(errno.EISDIR, "Is a directory")
        real(file, kind)

    monkeypatch.setattr(fcntl, "flock", flock)


@pytest.fixture(params=["ENOTSUP", "ENOLCK"])
def without_any(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing takes a lock."""

    def flock(file: Any, kind: int) -> None:
        raise OSError(getattr(errno, request.param), "refused")

    monkeypatch.setattr(fcntl, "flock", flock)


@pytest.mark.usefixtures("without_folders")
def test_runs_and_builds_wait_for_each_other_where_folders_take_no_lock(results: Results) -> None:
    building = results.lock(fcntl.LOCK_SH)
    with pytest.raises(BlockingIOError):
        results.lock(fcntl.LOCK_EX | fcntl.LOCK_NB)
    os.close(building)
    os.close(results.lock(fcntl.LOCK_EX))


@pytest.mark.usefixtures("without_any")
def test_a_run_is_measured_and_stored_where_nothing_takes_a_lock(loopback: Loopback, results: Results) -> None:
    path = run(loopback, results).path
    assert path is not None
    assert {row["run_state"] for row in rows_of(path)} == {"complete"}
    assert journals(results) == []
    assert Warehouse(results).rows("select run_state from runs") == [{"run_state": "complete"}]


def test_a_site_is_built_where_nothing_may_be_written(results: Results, monkeypatch: pytest.MonkeyPatch) -> None:
    """No run can begin there either."""

    def refuse(results: Results, kind: int) -> int:
        raise OSError(errno.EROFS, "Read-only file system")

    results.runs.mkdir(parents=True)
    monkeypatch.setattr(Results, "lock", refuse)
    hooks.on_pre_build(SimpleNamespace(theme={"language": "en"}))  # type: ignore[arg-type]
    assert hooks._building == []


@pytest.mark.usefixtures("without_any")
def test_there_a_journal_is_left_to_its_run_until_nobody_has_written_to_it_for_a_day(results: Results) -> None:
    with journal.Journal(results, RUN_ID) as living:
        living.facts(FACTS)
        living.operation(ROWS[0])
        assert (store.recover(results), store.sweep(results)) == ([], [])
        assert results.being_measured()
    written = living.path.stat().st_mtime
    os.utime(living.path, (written, written - locks.ABANDONED_S - 60))
    assert not results.being_measured()
    [saved] = store.recover(results)
    assert len(rows_of(saved)) == 1


def test_a_lock_that_fails_otherwise_is_no_refusal(results: Results, monkeypatch: pytest.MonkeyPatch) -> None:
    def flock(file: Any, kind: int) -> None:
        raise OSError(errno.EIO, "broken")

    monkeypatch.setattr(fcntl, "flock", flock)
    for call in (locks.is_taken, locks.wait_for):
        with pytest.raises(OSError, match="broken"):
            call(0)
