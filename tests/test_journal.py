"""The journal: a killed collector loses at most the operation in flight, and runs/ never holds half a file."""

import fcntl
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from collector import journal, store
from collector.backends import Facts
from collector.errors import StoreFailed
from collector.journal import Journal
from collector.locks import is_locked
from collector.schema import Results
from site_src.run_file import read_run
from site_src.warehouse import Warehouse
from tests.conftest import RUN, STARTED, of_its_own, request
from tests.programs import PATIENCE_S, Child

CLONE = Path(__file__).parent.parent
ID = "0123456789ab"
FACTS: Facts = {**RUN, "run_id": ID, "run_started_at": STARTED, "run_state": "interrupted"}
ROWS: list[Facts] = [{**request(repeat=number), "op_index": number - 1} for number in (1, 2, 3)]

# A collector at work: it journals a run, then stands still with the journal open.
HOLD = """
import sys
from collector.journal import Journal
from collector.schema import Results
from tests.test_journal import FACTS, ROWS
with Journal(Results.find(), FACTS["run_id"]) as held:
    held.facts(FACTS)
    for row in ROWS:
        held.operation(row)
    print("ready", flush=True)
    sys.stdin.read()
"""

# A whole run against a scripted server that stops answering in its fifth chat request.
RUN_INTO_SILENCE = """
import itertools, sys
import httpx
from collector import measure, run
from collector.backends.openai_chat import OpenAIChat
from collector.schema import Results
from collector.suite import Prompt, Suite
from tests.conftest import DONE, delta, usage

chats = itertools.count(1)

def answer(request):
    if not request.url.path.endswith("/chat/completions"):
        return httpx.Response(200, json={"object": "list", "data": [{"id": "m", "object": "model"}]})
    if next(chats) == 5:
        print("ready", flush=True)
        sys.stdin.read()
    words = [delta(content=f"word{number} ") for number in range(40)]
    body = b"".join([*words, delta(finish="stop"), usage(10, 40), DONE])
    return httpx.Response(200, headers={"content-type": "text/event-stream"}, stream=httpx.ByteStream(body))

client = measure.connect("http://127.0.0.1:1", transport=httpx.MockTransport(answer))
suite = Suite("small", "Small", (Prompt("one", "test", "Say one.", 50), Prompt("two", "test", "Say two.", 50)))
run.run(client, OpenAIChat(client, "m"), run.Job(suite, 5, Results.find(), forced=True))
"""

# Journals a run and writes its file, but dies at the nth call of one function of the operating system.
DIE_WHILE_WRITING = """
import importlib, os, signal, sys
from collector import store
from collector.journal import Journal
from collector.schema import Results
from tests.test_journal import FACTS, ROWS

module, name, nth, when, has_links = sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4], sys.argv[5] == "links"
real = getattr(importlib.import_module(module), name)
calls = 0

def die():
    os.kill(os.getpid(), signal.SIGKILL)

def call(*arguments, **options):
    global calls
    calls += 1
    if calls == nth and when == "before":
        die()
    if calls == nth and when == "half":
        arguments[1].write(b"PAR1 and then the power went")
        arguments[1].flush()
        die()
    result = real(*arguments, **options)
    if calls == nth:
        die()
    return result

def no_links(*_, **__):
    raise PermissionError("no links here")

with Journal(Results.find(), FACTS["run_id"]) as held:
    held.facts(FACTS)
    for row in ROWS:
        held.operation(row)
    if not has_links:
        os.link = no_links
    setattr(importlib.import_module(module), name, call)
    store.write(Results.find(), FACTS, ROWS)
    held.remove()
"""


def start(script: str, *arguments: str) -> "subprocess.Popen[str]":
    """A Python process of its own, in the same results folder (LLM_RESULTS), in a process group of its own."""
    return Child(
        [sys.executable, "-c", script, *arguments],
        cwd=CLONE,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


@contextmanager
def at_work(script: str) -> Iterator["subprocess.Popen[str]"]:
    """The process, once it stands still in the middle; killed at the end at the latest."""
    with start(script) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n", "the child process ended before it got so far"
            yield process
        finally:
            process.kill()


def killed_in(script: str) -> None:
    with at_work(script) as process:
        process.send_signal(signal.SIGKILL)
        assert process.wait(timeout=PATIENCE_S) == -signal.SIGKILL


def journaled(results: Results, rows: list[Facts]) -> Path:
    """A journal left behind with these operations."""
    with Journal(results, ID) as left:
        left.facts(FACTS)
        for row in rows:
            left.operation(row)
    return left.path


def rows_of(path: Path) -> list[dict[str, Any]]:
    return read_run(path).to_pylist()


def journals(results: Results) -> list[str]:
    """What runs in progress left there; the warehouse's file and the lock of all runs lie beside them."""
    found = (path.name for path in results.journals.iterdir())
    return sorted(name for name in found if not name.startswith("warehouse.") and name != "runs.lock")


# ---------------------------------------------------------------- killed while measuring


def test_a_killed_process_loses_no_finished_operation(results: Results) -> None:
    killed_in(HOLD)
    assert not results.being_measured()
    [path] = store.recover(results)
    rows = rows_of(path)
    assert [row["repeat"] for row in rows] == [1, 2, 3]
    assert {row["run_state"] for row in rows} == {"interrupted"}
    assert {row["run_id"] for row in rows} == {ID}
    assert rows[0]["chunks"] == ROWS[0]["chunks"]
    assert rows[0]["run_started_at"] == STARTED
    assert journals(results) == []


def test_recovering_twice_does_nothing_more(results: Results) -> None:
    killed_in(HOLD)
    [path] = store.recover(results)
    before = path.stat()
    assert store.recover(results) == []
    assert (path.stat().st_mtime_ns, path.stat().st_ino) == (before.st_mtime_ns, before.st_ino)
    assert list(results.runs.iterdir()) == [path]


def test_a_recovered_run_is_the_same_as_one_written_at_once(results: Results, tmp_path: Path) -> None:
    journaled(results, ROWS)
    [recovered] = store.recover(results)
    direct = store.write(Results(tmp_path / "other"), FACTS, ROWS)
    assert recovered.name == direct.name
    assert pq.read_table(recovered).equals(pq.read_table(direct))


def test_a_whole_run_that_is_killed_keeps_its_finished_requests(results: Results) -> None:
    killed_in(RUN_INTO_SILENCE)
    [path] = store.recover(results)
    rows = rows_of(path)
    asked = [row for row in rows if row["op"] in ("warmup", "request")]
    assert len(asked) == 4  # the fifth was in flight
    assert all(row["error_kind"] is None and row["completion_tokens"] == 40 for row in asked)
    assert [row["op_index"] for row in rows] == list(range(len(rows)))
    assert {row["run_state"] for row in rows} == {"interrupted"}
    assert {row["suite"] for row in rows} == {"small"}
    assert journals(results) == []
    assert "the run was interrupted" in Warehouse(results).rows("select reason from runs")[0]["reason"]


# ---------------------------------------------------------------- killed while writing

LINKS, NO_LINKS = "links", "no links"
POINTS = [
    ("collector.store", "_encode", 1, "half", LINKS),
    ("os", "fsync", 1, "after", LINKS),
    ("os", "link", 1, "after", LINKS),
    ("os", "fsync", 2, "after", LINKS),
    ("os", "unlink", 1, "before", LINKS),
    ("os", "unlink", 2, "before", LINKS),
    ("os", "replace", 1, "after", NO_LINKS),
]


@pytest.mark.parametrize("point", POINTS, ids=lambda point: "-".join(map(str, point[1:])))
def test_killed_anywhere_while_writing_runs_holds_nothing_or_a_whole_file(
    results: Results, point: tuple[str, str, int, str, str]
) -> None:
    with start(DIE_WHILE_WRITING, *map(str, point)) as process:
        assert process.wait(timeout=PATIENCE_S) == -signal.SIGKILL, (
            "the process outlived the point where it should have died"
        )
    found = list(results.runs.iterdir())
    assert [len(rows_of(path)) for path in found] in ([], [3])
    assert not Warehouse(results).rows("from damaged_files")
    store.recover(results)
    store.sweep(results)
    [path] = results.runs.iterdir()
    assert [row["repeat"] for row in rows_of(path)] == [1, 2, 3]
    assert path in found or not found
    assert journals(results) == []


def test_a_name_claimed_by_a_killed_process_is_filled_by_the_next(results: Results) -> None:
    """Without links the name must be claimed by an empty file first; killed there, the run is still in its journal."""
    with start(DIE_WHILE_WRITING, "os", "replace", "1", "before", NO_LINKS) as process:
        assert process.wait(timeout=PATIENCE_S) == -signal.SIGKILL, (
            "the process outlived the point where it should have died"
        )
    [recovered] = store.recover(results)
    store.sweep(results)
    assert [path.name for path in results.runs.iterdir()] == [recovered.name]
    assert len(rows_of(recovered)) == 3
    assert journals(results) == []


def test_killed_between_placing_and_removing_the_journal_makes_no_second_file(results: Results) -> None:
    journaled(results, ROWS)
    path = store.write(results, {**FACTS, "run_state": "complete"}, ROWS)
    before = path.read_bytes()
    assert store.recover(results) == []
    assert list(results.runs.iterdir()) == [path]
    assert path.read_bytes() == before
    assert journals(results) == []


# ---------------------------------------------------------------- what lies in a journal


@pytest.mark.parametrize("cut", [1, 2, 40, 1000])
def test_a_cut_last_line_loses_only_that_operation(results: Results, cut: int) -> None:
    path = journaled(results, ROWS)
    path.write_bytes(path.read_bytes()[:-cut])
    [recovered] = store.recover(results)
    kept = [1, 2, 3] if cut == 1 else [1, 2]  # the first byte is the newline: the line itself is whole
    assert [row["repeat"] for row in rows_of(recovered)] == kept


def test_a_line_of_zeros_after_a_power_cut_is_left_out(results: Results) -> None:
    path = journaled(results, ROWS)
    path.write_bytes(path.read_bytes() + b"\0" * 512)
    [recovered] = store.recover(results)
    assert len(rows_of(recovered)) == 3


@pytest.mark.parametrize(
    "text", ["a\u2028b\u2029c\u0085d\x0ce", 'quo"te\\ {"facts": {}}', "two\nlines\r\n", "数学", "\U0001f600", ""]
)
def test_any_text_comes_back_as_it_was(results: Results, text: str) -> None:
    journaled(results, [{**ROWS[0], "output_text": text}, ROWS[1]])
    [recovered] = store.recover(results)
    assert [row["output_text"] for row in rows_of(recovered)] == [text, ROWS[1]["output_text"]]


def test_a_separator_that_stands_unescaped_in_a_line_does_not_cut_it(results: Results) -> None:
    path = journaled(results, ROWS[:1])
    line = json.dumps({"operation": {**ROWS[1], "output_text": "a\u2028b\u0085c"}}, ensure_ascii=False)
    path.write_bytes(path.read_bytes() + line.encode() + b"\n")
    [recovered] = store.recover(results)
    assert rows_of(recovered)[1]["output_text"] == "a\u2028b\u0085c"


def test_half_an_emoji_does_not_end_the_run(results: Results) -> None:
    """UTF-8 cannot hold it, and a server that cuts its text in UTF-16 sends it."""
    path = journaled(results, [{**ROWS[0], "output_text": "\ud83d"}])
    assert journal.read(path).operations[0]["output_text"] == "\ud83d"
    assert len(store.recover(results)) == 1


def test_later_facts_replace_earlier_ones(results: Results) -> None:
    with Journal(results, ID) as left:
        left.facts({**FACTS, "runtime_version": None})
        left.operation(ROWS[0])
        left.facts({"runtime_version": "2.0"})
    [recovered] = store.recover(results)
    assert rows_of(recovered)[0]["runtime_version"] == "2.0"


@pytest.mark.parametrize("content", ["", "\n", "{", json.dumps({"facts": {"run_id": ID}}) + "\n"])
def test_a_journal_without_operations_is_removed_and_leaves_no_file(results: Results, content: str) -> None:
    results.journals.mkdir(parents=True)
    (results.journals / f"{ID}.jsonl").write_text(content)
    assert store.recover(results) == []
    assert store.sweep(results) == [f"{ID}.jsonl"]
    assert journals(results) == []
    assert not results.runs.exists() or not list(results.runs.iterdir())


def test_half_written_files_of_killed_processes_are_removed_and_those_of_living_ones_left(results: Results) -> None:
    journaled(results, ROWS)
    for name in (f"{ID}-abc.part", "grades-abc.part", "living-abc.part"):
        (results.journals / name).write_text("left")
    with (results.journals / "living-abc.part").open() as living:
        fcntl.flock(living, fcntl.LOCK_EX)
        assert len(store.recover(results)) == 1
        assert store.sweep(results) == [f"{ID}-abc.part", "grades-abc.part"]
        assert journals(results) == ["living-abc.part"]
    assert store.sweep(results) == ["living-abc.part"]


def test_a_part_is_locked_while_it_is_written(results: Results, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[bool] = []
    monkeypatch.setattr(
        store, "sync", lambda _: seen.extend(is_locked(path) for path in results.journals.glob("*.part"))
    )
    store.write(results, FACTS, ROWS)
    assert seen == [True]


def test_several_journals_are_saved_each_as_its_own_run(results: Results) -> None:
    for number, run_id in enumerate(("a" * 12, "b" * 12)):
        with Journal(results, run_id) as left:
            left.facts({**FACTS, "run_id": run_id})
            left.operation(*of_its_own(ROWS[:1], number))
    assert len(store.recover(results)) == 2
    assert {row["run_id"] for row in Warehouse(results).rows("from runs")} == {"a" * 12, "b" * 12}


def test_a_journal_that_cannot_be_saved_is_kept(results: Results, monkeypatch: pytest.MonkeyPatch) -> None:
    path = journaled(results, ROWS)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(store.StoreFailed):
            store.recover(results)
    assert journals(results) == [path.name]
    assert len(store.recover(results)) == 1


# ---------------------------------------------------------------- a living collector


def test_a_journal_another_process_holds_is_left_alone(results: Results) -> None:
    with at_work(HOLD):
        path = results.journals / f"{ID}.jsonl"
        before = path.read_bytes()
        assert is_locked(path)
        assert results.being_measured()
        assert store.recover(results) == []
        assert path.read_bytes() == before
        assert not results.runs.exists()
    assert not is_locked(path)
    assert not results.being_measured()
    assert len(store.recover(results)) == 1


def test_an_operation_is_in_the_journal_as_soon_as_it_is_told(results: Results) -> None:
    with Journal(results, ID) as held:
        held.facts(FACTS)
        for count, row in enumerate(ROWS, start=1):
            held.operation(row)
            assert len(journal.read(held.path).operations) == count


def test_looking_for_journals_in_a_folder_without_any(results: Results) -> None:
    assert store.recover(results) == []
    assert not results.being_measured()
    assert not results.root.exists()


def test_a_results_folder_that_cannot_be_written_is_said_before_anything_is_measured(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(StoreFailed, match="cannot be written"):
        journal.Journal(Results(tmp_path / "file" / "results"), "a" * 12)


# ---------------------------------------------------------------- what somebody, or a bad disk, wrote there

OTHER = "fedcba987654"


def line(content: object) -> bytes:
    return json.dumps(content).encode() + b"\n"


PLAIN = {**FACTS, "run_started_at": STARTED.isoformat()}
GOOD = line({"facts": PLAIN}) + b"".join(line({"operation": row}) for row in ROWS)
READ_IN_PART = {  # journals in which one line says nothing, and the run that all others make
    "a number": b"5\n",
    "null": b"null\n",
    "a list": b"[]\n",
    "a text": b'"facts"\n',
    "nothing": b"{}\n",
    "something else": b'{"votes": {}}\n',
    "facts is null": b'{"facts": null}\n',
    "facts is a list": b'{"facts": [1]}\n',
    "operation is null": b'{"operation": null}\n',
    "operation is a number": b'{"facts": {}, "operation": 7}\n',
    "nested deep": b"[" * 100_000 + b"\n",
    "an endless number": b'{"operation": ' + b"9" * 5000 + b"}\n",
    "half a line": b'{"operation": {"op": "req\n',
    "zeros": b"\0" * 64 + b"\n",
    "no UTF-8": b'{"operation": {"op": "\xff\xfe"}}\n',
}
NO_RUN = {  # of which no run can be made
    "no facts": b"".join(line({"operation": row}) for row in ROWS),
    "no date": line({"facts": {"run_id": OTHER}}) + line({"operation": ROWS[0]}),
    "a date that is none": line({"facts": {**PLAIN, "run_started_at": "yesterday"}}) + line({"operation": ROWS[0]}),
    "a date that is a number": line({"facts": {**PLAIN, "run_started_at": 5}}) + line({"operation": ROWS[0]}),
    "a date beyond years": line({"facts": {**PLAIN, "run_started_at": "99999-01-01"}}) + line({"operation": ROWS[0]}),
    "no name": line({"facts": {**PLAIN, "run_id": [1]}}) + line({"operation": ROWS[0]}),
    "first byte lost": b"\0" + GOOD[1:],
    "only something else": b"5\n",
}


def beside(results: Results, content: bytes, suffix: str = "jsonl") -> Path:
    """A journal of this content, and a good one behind it in the order of names."""
    journaled(results, ROWS)
    path = results.journals / f"0000{OTHER}.{suffix}"
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("shape", READ_IN_PART)
def test_a_line_that_says_nothing_is_left_out_and_its_journal_kept(results: Results, shape: str) -> None:
    facts, *rows = (part + b"\n" for part in GOOD.replace(ID.encode(), OTHER.encode()).splitlines())
    content = facts + rows[0] + READ_IN_PART[shape] + b"".join(rows[1:])
    path = beside(results, content)
    saved = store.recover(results)
    assert [[row["repeat"] for row in rows_of(run)] for run in saved] == [[1, 2, 3], [1, 2, 3]]
    assert [row["op_index"] for row in rows_of(saved[0])] == [0, 1, 2]
    [kept] = store.set_aside(results)
    assert (kept, kept.read_bytes()) == (path.with_suffix(".damaged"), content)
    assert (store.sweep(results), store.recover(results), journals(results)) == ([], [], [kept.name])


@pytest.mark.parametrize("shape", NO_RUN)
def test_a_journal_of_which_no_run_can_be_made_hides_no_other_and_is_kept(results: Results, shape: str) -> None:
    path = beside(results, NO_RUN[shape])
    assert [ID in run.name for run in store.recover(results)] == [True]
    assert store.sweep(results) == []  # which deletes nothing that holds anything, asked in whatever order
    [kept] = store.set_aside(results)
    assert (kept.read_bytes(), journals(results)) == (NO_RUN[shape], [kept.name])
    assert not path.exists()


def test_what_is_set_aside_replaces_nothing(results: Results) -> None:
    for number in range(3):
        beside(results, b"%d\n" % number)
        store.recover(results)
        store.set_aside(results)
    kept = {(results.journals / name).read_bytes() for name in journals(results)}
    assert kept == {b"0\n", b"1\n", b"2\n"}


@pytest.mark.parametrize("suffix", ["jsonl", "part"])
@pytest.mark.parametrize("kind", ["folder", "loop", "link", "dangling", "pipe"])
def test_what_is_no_file_is_left_alone(results: Results, kind: str, suffix: str, tmp_path: Path) -> None:
    path = beside(results, b"", suffix)
    path.unlink()
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_bytes(GOOD)
    makes: dict[str, Any] = {
        "folder": path.mkdir,
        "loop": lambda: path.symlink_to(path.name),
        "link": lambda: path.symlink_to(elsewhere),
        "dangling": lambda: path.symlink_to("nothing"),
        "pipe": lambda: os.mkfifo(path),
    }
    makes[kind]()
    assert not results.being_measured()
    assert len(store.recover(results)) == 1
    assert (store.set_aside(results), store.sweep(results)) == ([], [])
    assert (os.path.lexists(path), elsewhere.read_bytes()) == (True, GOOD)
