"""What earlier builds made is used again where all that it was made of is the same, and only there."""

import itertools
import random
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from collector.schema import CLONE
from site_src import drawing
from site_src.blocks import Blocks
from site_src.place import Place
from site_src.reuse import answers as answering
from site_src.reuse import identity, store
from site_src.reuse.answers import Answers, _of_table
from site_src.reuse.drawings import Drawings
from site_src.reuse.maker import Maker
from site_src.reuse.store import Store
from site_src.warehouse import Warehouse
from site_src.words import read
from tests.conftest import request
from tests.programs import Child, environment

Given = Callable[..., Warehouse]
ENGLISH = read("en")
PICTURE = "<svg>drawn</svg>"


@pytest.fixture(autouse=True)
def closed(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Whatever a test has opened is closed after it."""
    opened: list[Store] = []
    real = Store.__init__

    def begin(self: Store, file: Path | None = None) -> None:
        opened.append(self)
        real(self, file)

    monkeypatch.setattr(Store, "__init__", begin)
    yield
    for one in opened:
        one.close()


@pytest.fixture
def kept(tmp_path: Path) -> Store:
    return Store(tmp_path / "blocks.sqlite")


def again(kept: Store) -> Store:
    """The same file, as the next build opens it."""
    kept.close()
    return Store(kept._file)


# ---------------------------------------------------------------- the file


def test_the_next_build_has_what_was_committed(kept: Store) -> None:
    kept.put(b"key", b"value")
    assert kept.get(b"key") == b"value"
    assert again(kept).get(b"key") is None
    kept = Store(kept._file)
    kept.put(b"key", b"value")
    kept.commit()
    assert again(kept).get(b"key") == b"value"


@pytest.mark.parametrize("junk", [b"", b"no database at all", b"SQLite format 3\0" + bytes(200)])
def test_a_file_that_is_none_is_made_anew(kept: Store, junk: bytes) -> None:
    kept.close()
    kept._file.write_bytes(junk)
    after = Store(kept._file)
    assert after.get(b"key") is None
    after.put(b"key", b"value")
    after.commit()
    assert again(after).get(b"key") == b"value"


def test_a_damaged_file_gives_what_was_put_or_nothing(kept: Store) -> None:
    chance = random.Random(1)
    wanted = {bytes([number]): chance.randbytes(3000) for number in range(60)}
    for key, value in wanted.items():
        kept.put(key, value)
    kept.commit()
    kept.close()
    whole = kept._file.read_bytes()
    lost = 0
    for _ in range(60):
        damaged = bytearray(whole)
        for place in chance.sample(range(len(whole)), 40):
            damaged[place] ^= 1 << chance.randrange(8)
        kept._file.write_bytes(damaged[: chance.choice((len(whole), chance.randrange(len(whole))))])
        after = Store(kept._file)
        found = {key: after.get(key) for key in wanted}
        assert all(value in (None, wanted[key]) for key, value in found.items())
        lost += sum(value is None for value in found.values())
        after.close()
        kept._file.with_name(f"{kept._file.name}-journal").unlink(missing_ok=True)
    assert lost > 100


def test_a_value_under_another_key_is_none(kept: Store) -> None:
    kept.put(b"one", b"value")
    kept.commit()
    with sqlite3.connect(kept._file) as con:
        con.execute("update blocks set key = ?", (b"two",))
    con.close()
    assert again(kept).get(b"two") is None


def test_on_a_full_disk_nothing_is_kept_and_all_goes_on(kept: Store) -> None:
    kept.put(b"before", b"value")
    kept.commit()
    assert kept._con
    kept._con.execute("pragma max_page_count = 4")
    kept.put(b"after", random.Random(2).randbytes(100_000))
    kept.commit()
    assert (kept.get(b"before"), kept.get(b"after")) == (b"value", None)
    assert again(kept).get(b"before") == b"value"


def test_a_folder_that_cannot_be_made_is_done_without(tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file")
    nowhere = Store(tmp_path / "cache" / "blocks.sqlite")
    nowhere.put(b"key", b"value")
    nowhere.commit()
    assert again(nowhere).get(b"key") is None


def test_where_nothing_may_be_written_what_is_there_is_used(kept: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    kept.put(b"key", b"value")
    kept.commit()
    kept.close()
    real = sqlite3.connect

    def connect(file: object, **more: Any) -> sqlite3.Connection:
        """As with a disk that is mounted to be read."""
        return real(f"{kept._file.as_uri()}?mode=ro", **{**more, "uri": True})

    monkeypatch.setattr(sqlite3, "connect", connect)
    after = Store(kept._file)
    after.put(b"new", b"value")
    after.commit()
    assert (after.get(b"key"), after.get(b"new")) == (b"value", None)


def test_who_cannot_write_beside_another_build_goes_on(kept: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "PATIENCE_S", 0)
    mine = again(kept)
    with sqlite3.connect(kept._file, isolation_level=None) as other:
        other.execute("begin immediate")
        mine.put(b"key", b"value")
        mine.commit()
        other.execute("rollback")
    other.close()
    mine.put(b"key", b"value")
    mine.commit()
    assert again(mine).get(b"key") == b"value"


def test_it_stays_below_its_size_and_drops_what_was_not_used_for_longest(
    kept: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "MOST_BYTES", 50_000)
    chance = random.Random(3)
    days = iter(range(1, 100))
    for number in range(20):
        kept._today = next(days)
        kept.put(bytes([number]), chance.randbytes(6_000))
        kept.get(b"\0")  # used every day
        kept.commit()
    there = [number for number in range(20) if kept.get(bytes([number]))]
    assert there == [0, *range(13, 20)]


def test_on_one_day_what_was_put_first_goes_first(kept: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "MOST_BYTES", 50_000)
    chance = random.Random(5)
    for number in reversed(range(20)):
        kept.put(bytes([number]), chance.randbytes(6_000))
        kept.commit()
    assert [number for number in range(20) if kept.get(bytes([number]))] == [*range(8)]


WRITER = """
import random, sys
from pathlib import Path
from site_src.reuse.store import Store
for number in range(1000):
    store = Store(Path(sys.argv[1]))
    for key in range(30):
        store.put(bytes([key]), bytes([key]) * (20_000 + number))
    store.commit()
    store.close()
    print(number, flush=True)
"""


def test_killed_at_any_moment_it_holds_whole_values(tmp_path: Path) -> None:
    chance, file = random.Random(4), tmp_path / "blocks.sqlite"
    for _ in range(5):
        command = [sys.executable, "-c", WRITER, str(file)]
        with Child(command, stdout=subprocess.PIPE, env=environment(), cwd=CLONE) as writer:
            assert writer.stdout
            writer.stdout.readline()
            time.sleep(chance.random() / 20)
            writer.kill()
            writer.wait(timeout=10)
        found = Store(file)
        values = [found.get(bytes([key])) for key in range(30)]
        assert all(value and set(value) == {key} for key, value in enumerate(values))
        found.close()


# ---------------------------------------------------------------- what a block is known by


def test_a_block_is_made_once(kept: Store, given: Given) -> None:
    warehouse = given([request(tps=40)])
    first, second = (Maker(warehouse, kept, Drawings(kept)) for _ in range(2))
    made = [str(table(maker)) for maker in (first, second)]
    assert made[0] == made[1]
    assert (first.made, first.reused) == (1, 0)
    first.finish()
    third = Maker(warehouse, again(kept))
    assert str(table(third)) == made[0]
    assert (third.made, third.reused) == (0, 1)


def table(maker: Maker, place: Place | None = None, **more: Any) -> str:
    asked = {"view": "runs", "columns": "label run_id decode_tps"} | more
    only = asked.pop("only", None)
    words = asked.pop("words", ENGLISH)
    return str(Blocks(maker, place or Place("results.md"), set(), words, only).table(**asked))


CHANGES: dict[str, Callable[[pytest.MonkeyPatch], dict[str, Any]]] = {
    "its columns": lambda patch: {"columns": "label decode_tps"},
    "its view": lambda patch: {"view": "run_summary", "columns": "label decode_tps"},
    "its condition": lambda patch: {"where": "decode_tps > 0"},
    "its page": lambda patch: {"place": Place("deep/page.md")},
    "where pages are": lambda patch: {"place": Place("results.md", directory_urls=False)},
    "its language's folder": lambda patch: {"place": Place("results.md", "zh/")},
    "the row of its page": lambda patch: {"only": ("label", "nobody")},
    "words": lambda patch: {"words": replace(ENGLISH, digest=b"edited")},
    "code": lambda patch: patch.setattr(identity, "code", lambda module: b"edited") or {},  # type: ignore[func-returns-value]
    "versions": lambda patch: patch.setattr(identity, "versions", lambda: b"newer") or {},  # type: ignore[func-returns-value]
}


@pytest.mark.parametrize("what", CHANGES)
def test_another_input_makes_another_block(
    what: str, kept: Store, given: Given, monkeypatch: pytest.MonkeyPatch
) -> None:
    warehouse = given([request(tps=40)])
    first = Maker(warehouse, kept)
    table(first)
    first.finish()
    more = CHANGES[what](monkeypatch)
    second = Maker(warehouse, kept)
    table(second, **more)
    assert (second.made, second.reused) == (1, 0), what


def test_another_answer_makes_another_block_and_the_first_is_not_forgotten(kept: Store, given: Given) -> None:
    one, other = given([request(tps=40)]), given([{"run_id": "b" * 12}, request(tps=41)])
    made = []
    for warehouse, wanted in ((one, (1, 0)), (other, (1, 0)), (one, (0, 1)), (other, (0, 1))):
        maker = Maker(warehouse, kept)
        made.append(table(maker))
        maker.finish()
        assert (maker.made, maker.reused) == wanted
    assert made[:2] == made[2:]
    assert made[0] != made[1]


def test_a_chart_is_known_by_its_own_file_as_well(kept: Store, given: Given, monkeypatch: pytest.MonkeyPatch) -> None:
    warehouse = given([request(tps=40)])
    counts = []
    real = identity.chart
    for digest in (real, real, lambda name: b"edited"):
        monkeypatch.setattr(identity, "chart", digest)
        maker = Maker(warehouse, kept)
        Blocks(maker, Place(), set(), ENGLISH).chart("decode_by_configuration")
        maker.finish()
        counts.append((maker.made, maker.drawings.made))
    assert counts == [(2, 1), (0, 0), (2, 0)]  # the figure and its specification; the picture is as it was


def test_the_views_that_a_block_links_to_are_known_without_making_it(kept: Store, given: Given) -> None:
    warehouse = given([request(tps=40)])
    for _ in range(2):
        used: set[str] = set()
        maker = Maker(warehouse, kept)
        Blocks(maker, Place(), used, ENGLISH).table("run_summary", "label")
        maker.finish()
        assert used == {"run_summary"}


def test_code_is_known_with_all_that_it_imports(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("collector", "site_src"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text("")
    (tmp_path / "site_src/a.py").write_text("from site_src import b\n")
    (tmp_path / "site_src/b.py").write_text("def late():\n    import collector.c as c\n")
    (tmp_path / "collector/c.py").write_text("VALUE = 1\n")
    (tmp_path / "collector/d.py").write_text("VALUE = 1\n")
    monkeypatch.setattr(identity, "HERE", tmp_path / "site_src")
    seen = []
    for text, file in itertools.product(("VALUE = 2\n", "VALUE = 3\n"), ("collector/c.py", "collector/d.py")):
        (tmp_path / file).write_text(text)
        for cached in (identity.code, identity._source, identity._path):
            cached.cache_clear()
        seen.append(identity.code("site_src.a"))
    monkeypatch.undo()
    for cached in (identity.code, identity._source, identity._path):
        cached.cache_clear()
    assert [seen[0] == seen[1], seen[1] == seen[2], seen[2] == seen[3]] == [True, False, True]


def test_a_charts_file_is_read_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(identity, "CHARTS", tmp_path)
    (tmp_path / "one.py").write_text("from site_src import charts_marks\n")
    before = identity.chart("one")
    (tmp_path / "one.py").write_text("from site_src import charts_marks\n#\n")
    assert identity.chart("one") != before
    after = identity.chart("one")
    monkeypatch.setattr(identity, "code", lambda module: b"edited")
    assert identity.chart("one") != after


def test_words_are_known_by_language_and_english_stands_behind_each(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "zh").mkdir()
    for file in ("words.toml", "zh/words.toml"):
        (tmp_path / file).write_text("")
    monkeypatch.setattr(identity, "HERE", tmp_path)

    def both() -> tuple[bytes, bytes]:
        return identity.words("en", is_english=True), identity.words("zh", is_english=False)

    english, chinese = both()
    (tmp_path / "zh/words.toml").write_text("a = 1")
    assert (both()[0] == english, both()[1] == chinese) == (True, False)
    english, chinese = both()
    (tmp_path / "words.toml").write_text("a = 1")
    assert (both()[0] == english, both()[1] == chinese) == (False, False)


TABLE = pa.table({"a": [1, 2, None], "b": ["x", "y", None]})


def test_the_same_rows_are_the_same_answer_however_they_lie() -> None:
    apart = pa.concat_tables([TABLE.slice(0, 1), TABLE.slice(1)])
    assert _of_table(apart) == _of_table(TABLE)
    assert _of_table(pa.concat_tables([TABLE, TABLE]).slice(3)) == _of_table(TABLE)


@pytest.mark.parametrize(
    "other",
    [
        TABLE.take([1, 0, 2]),
        TABLE.slice(0, 2),
        TABLE.select(["b", "a"]),
        TABLE.rename_columns(["a", "c"]),
        TABLE.set_column(0, "a", pa.array([1, 2, 0])),
        TABLE.set_column(0, "a", pa.array([1, 2, None], pa.int32())),
        TABLE.set_column(1, "b", pa.array(["x", "y", ""])),
    ],
)
def test_any_other_table_is_another_answer(other: pa.Table) -> None:
    assert _of_table(other) != _of_table(TABLE)


@pytest.mark.parametrize("many", [0, 1000])
def test_rows_picked_out_of_an_answer_are_those_that_a_query_gives(
    many: int, given: Given, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(answering, "MANY", many)
    answers = Answers(given([request(tps=40), request("long", tps=50)], [request(repeat=2, tps=41)]))
    for prompt in ("short", "long", "none"):
        query = f"from requests where (true) and prompt_id = '{prompt}'"
        assert answers.part("requests", "true", (("prompt_id", prompt),)).equals(answers.table(query))


# ---------------------------------------------------------------- pictures


class Later:
    """A process that draws when it is asked for what it drew."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def submit(self, draw: Callable[[str], str], specification: str) -> "Later":
        self.asked.append(specification)
        return self

    def result(self) -> str:
        return PICTURE


def test_a_picture_that_is_not_there_yet_has_a_mark_in_its_place(kept: Store) -> None:
    process = Later()
    drawings = Drawings(kept, process)  # type: ignore[arg-type]
    marks = [drawings.place(text) for text in ("a", "b", "a")]
    assert process.asked == ["a", "b"]
    assert marks[0] == marks[2] != marks[1]
    assert drawings.filled(f"1{marks[0]}2{marks[1]}3") == f"1{PICTURE}2{PICTURE}3"
    later = Drawings(kept)
    assert later.place("a") == PICTURE
    assert (later.made, later.reused) == (0, 1)


def test_where_pages_are_shown_first_no_picture_is_drawn_before_it_may_begin(kept: Store) -> None:
    process = Later()
    drawings = Drawings(kept, process, is_late=True)  # type: ignore[arg-type]
    page = drawings.later(f"1{drawings.place('a')}2{drawings.place('b')}3{drawings.place('a')}")
    assert process.asked == []
    assert page.count("<!--") == 3 and "\0" not in page
    assert not drawings.is_whole(page)
    drawings.begin()
    assert process.asked == ["a", "b"]
    assert drawings.filled(page) == f"1{PICTURE}2{PICTURE}3{PICTURE}"
    assert Drawings(kept, is_late=True).is_late is False  # nobody draws beside


def test_a_mark_from_somebody_else_is_a_text(kept: Store) -> None:
    drawings = Drawings(kept, Later())  # type: ignore[arg-type]
    mark = drawings.place("a")
    forged = mark.replace(drawings._secret, "0" * len(drawings._secret))
    assert drawings.filled(forged) == forged


def test_another_version_of_what_draws_draws_anew(kept: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("site_src.reuse.drawings.draw", lambda specification: PICTURE)
    Drawings(kept).place("a")
    monkeypatch.setattr("importlib.metadata.version", lambda name: "another")
    assert Drawings(kept).made == 0
    anew = Drawings(kept)
    anew.place("a")
    assert anew.made == 1


def test_a_kept_block_has_its_pictures_in_it(kept: Store, given: Given) -> None:
    warehouse = given([request(tps=40)])
    maker = Maker(warehouse, kept, Drawings(kept, Later()))  # type: ignore[arg-type]
    made = str(Blocks(maker, Place(), set(), ENGLISH).chart("decode_by_configuration"))
    assert PICTURE not in made
    maker.finish()
    next_one = Maker(warehouse, kept)
    assert PICTURE in str(Blocks(next_one, Place(), set(), ENGLISH).chart("decode_by_configuration"))


def test_static_pictures_are_drawn_at_a_width_of_their_own() -> None:
    assert f'"width": {drawing.STATIC_WIDTH}' in drawing.static({"mark": "bar"})
