"""`collect review`: a good file passes, each kind of bad one is refused in a sentence, none writes the summary."""

import sys
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given as for_all
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from collector import cli, privacy, store, suite
from collector.backends import Facts
from collector.commands import _faults
from collector.nonce import nonce
from collector.schema import CLONE, Results
from site_src import review
from site_src.run_file import read_run
from tests.conftest import RUN, STARTED, request

ID = "0123456789ab"
CHECKS = [
    {"name": "context", "verdict": "pass", "detail": "131,072 tokens"},
    {"name": "parallel", "verdict": "warn", "detail": "4 slots"},
]
Said = tuple[int, str, str]
Review = Callable[..., Said]


@pytest.fixture
def collect(results: Results, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Review:
    """`collect("review", …)`: exit code, stdout, stderr."""

    def call(*arguments: str) -> Said:
        monkeypatch.setattr(sys, "argv", ["collect", *arguments])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        said = capsys.readouterr()
        return int(ended.value.code or 0), said.out, said.err

    return call


SUITE = suite.read("standard")
LIMITS = {prompt.id: prompt for prompt in SUITE.prompts if prompt.max_tokens > 101}


def asking(run_id: str, position: int, row: Facts) -> Facts:
    """What a request says of its prompt."""
    prompt = LIMITS.get(row["prompt_id"], LIMITS["medium"])
    about = {"prompt_id": prompt.id, "prompt_sha256": prompt.sha256, "max_tokens": prompt.max_tokens}
    return {**about, "position": position, "nonce": nonce(run_id, prompt.id, row["repeat"], position)}


def stored(results: Results, *rows: Facts, run_id: str = ID, **facts: Any) -> Path:
    """A run of these requests, one after the other, as the collector asks them: those of a prompt of no suite ask one
    of it."""
    known = {"suite": SUITE.name, "suite_sha256": SUITE.sha256}
    began, operations = 0, []
    for index, row in enumerate(rows or (request(),)):
        asked = asking(run_id, index + 1, row) if row.get("op") == "request" and "nonce" not in row else {}
        operations.append({"started_ns": began, **asked, **row, **asked, "op_index": index})
        began += (row.get("elapsed_ns") or 0) + 1
    return store.write(results, {**RUN, **known, "run_id": run_id, "run_started_at": STARTED, **facts}, operations)


def changed(path: Path, metadata: dict[bytes, bytes] | None = None, **columns: list[Any]) -> Path:
    """The same file with other columns, checksums and all."""
    table = pq.read_table(path)
    for name, values in columns.items():
        index = table.schema.get_field_index(name)
        table = table.set_column(index, table.schema.field(index), pa.array(values, table.schema.field(index).type))
    table = table.replace_schema_metadata({**(table.schema.metadata or {}), **(metadata or {})})
    pq.write_table(table, path, write_page_checksum=True)
    return path


@pytest.fixture
def proposed(tmp_path: Path) -> Results:
    """Another results folder, from somewhere else."""
    return Results(tmp_path / "proposed")


# ---------------------------------------------------------------- what passes


def test_a_good_run_passes_and_its_figures_checks_and_comparison_are_told(
    collect: Review, results: Results, proposed: Results
) -> None:
    rows = [request("short", number, tps=50) for number in (1, 2, 3)]
    stored(results, *rows, run_id="a" * 12)
    later = {"run_started_at": STARTED.replace(hour=15), "preflight": CHECKS}
    stored(proposed, *(request("short", number, tps=60) for number in (1, 2, 3)), **later)
    code, said, complained = collect("review", str(proposed.root))
    # What is not there any more is refused, too.
    assert code == 1
    assert complained.count("error:") == 1
    assert "It is removed" in complained
    path = next(proposed.runs.iterdir())
    code, said, complained = collect("review", str(path))
    assert (code, complained) == (0, "")
    assert "Nothing is wrong with the file" in said
    for words in ("| `decode, tokens/s` | `60.0` |", "Pre-flight: **warn**, 2 checks.", "`parallel` `warn`: `4 slots`"):
        assert words in said
    assert "Against `the run before`:" in said
    assert "`1.20 (" in said
    assert "| `machine` | `apple-m3-ultra" in said


def test_a_folder_that_adds_nothing_says_so(collect: Review, results: Results) -> None:
    stored(results)
    code, said, _ = collect("review", str(results.root))
    assert code == 0
    assert "Nothing is added" in said


def test_a_folder_without_files_is_a_mistake(collect: Review, tmp_path: Path) -> None:
    (tmp_path / "none").mkdir()
    code, _, complained = collect("review", str(tmp_path / "none"))
    assert code == 1
    assert "There are no files in" in complained


# ---------------------------------------------------------------- what is refused


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:3000])


def flipped(path: Path) -> None:
    """One bit of a page: only its checksum tells."""
    data = bytearray(path.read_bytes())
    page = pq.ParquetFile(path).metadata.row_group(0).column(0)
    data[page.data_page_offset + page.total_compressed_size - 2] ^= 1
    path.write_bytes(data)


def renamed(path: Path) -> None:
    path.rename(path.with_name(f"mlx-{path.name}"))


def linked(path: Path) -> None:
    target = path.parent.parent.parent / "elsewhere"
    path.rename(target)
    path.symlink_to(target)


def huge(path: Path) -> None:
    path.write_bytes(path.read_bytes() + b" " * 6 * 10**6)


def bomb(path: Path) -> None:
    """A small file with many rows."""
    table = pq.read_table(path, columns=["run_id", "op_index"])
    pq.write_table(pa.concat_tables([table] * 50_001), path, compression="zstd", write_page_checksum=True)


BAD: dict[str, tuple[Callable[[Path], object], str]] = {
    "cut": (cut, "It cannot be trusted: it is damaged"),
    "no Parquet": (lambda path: path.write_text("{}"), "It cannot be trusted: it is damaged"),
    "one bit": (flipped, "It cannot be trusted: it is damaged"),
    "another name": (renamed, "Its name is not the one that its content gives: llama.cpp-unsloth-minimax-m2.1"),
    "a link": (linked, "It is a link"),
    "too large": (huge, "It holds more than any run does: it is 6.0 MB, more than 5 MB"),
    "too many rows": (bomb, "It holds more than any run does: it has 100,002 rows, more than 5,000"),
    "rows disagree": (lambda path: changed(path, chip=["M3", "M4"]), "Its rows disagree about the run: chip"),
    "rows twice": (lambda path: changed(path, op_index=[0, 0]), "Its rows are not numbered, each once"),
    "an operation": (lambda path: changed(path, op=["request", "mine"]), "the collector never writes there: op: mine"),
    "metadata": (lambda path: changed(path, {b"pandas": b"x"}), "metadata that the collector does not write: pandas"),
    "no run": (lambda path: changed(path, run_id=[None, None]), "which run it holds, or when that began: run_id: none"),
    "a home folder": (
        lambda path: changed(path, error_detail=[None, "no file /Users/wang/m.gguf"]),
        "It holds what must not be published: error_detail: /Users/wang/m.gguf",
    ),
    "an e-mail address": (
        lambda path: changed(path, served_by=["a.b@example.org"] * 2),
        "It holds what must not be published: served_by: a.b@example.org",
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", BAD)
def test_a_bad_file_is_refused_in_a_sentence(kind: str, collect: Review, proposed: Results) -> None:
    spoil, sentence = BAD[kind]
    path = stored(proposed, request("short", 1), request("short", 2))
    spoil(path)
    code, said, complained = collect("review", str(proposed.root))
    assert code == 1
    happened, remedy = complained.splitlines()
    assert sentence in happened
    assert remedy.startswith("       ")
    assert "1 of 1 files cannot be published" in said


def test_a_run_that_is_stored_already_is_refused_by_whatever_name(
    collect: Review, results: Results, proposed: Results
) -> None:
    path = stored(results)
    again = proposed.runs / path.name
    again.parent.mkdir(parents=True)
    again.write_bytes(changed(Path(str(path))).read_bytes())
    stored(results, request(), run_id="b" * 12)  # a copy under another id
    code, _, complained = collect("review", str(again.rename(again.with_name("x.parquet"))))
    assert code == 1
    assert "Its name is not the one" in complained
    other = stored(proposed, run_id="c" * 12)
    code, _, complained = collect("review", str(other))
    assert code == 1
    assert "It holds a run that is there already" in complained


def test_a_stored_file_with_other_content_is_refused(collect: Review, results: Results, proposed: Results) -> None:
    path = stored(results)
    stored(proposed, request(tps=99))
    code, _, complained = collect("review", str(proposed.root))
    assert code == 1
    assert f"{path.name}: It is stored already, with other content." in complained


def test_other_files_have_no_place_there_and_tables_must_be_readable(collect: Review, proposed: Results) -> None:
    proposed.root.mkdir()
    (proposed.root / "evil.py").write_text("print()")
    (proposed.root / "models.csv").write_text("model\nx\n")
    (proposed.root / "README.md").write_text("Ask me: a.b@example.org\n")
    code, _, complained = collect("review", str(proposed.root))
    assert code == 1
    assert "evil.py: A file of this kind has no place there." in complained
    assert "models.csv: The site cannot read it:" in complained
    assert "README.md: It holds what must not be published: line 1: a.b@example.org" in complained


def test_what_a_model_wrote_is_for_a_person_to_look_at(collect: Review, proposed: Results) -> None:
    said = "Write to jane@example.org today."
    chunks = [{"gap_us": gap, "kind": "answer", "chars": len(said) // 2} for gap in (200_000, 2_000_000)]
    stored(proposed, request(output_text=said, tokens=2, chunks=chunks, last_text_ns=2_200_000_000))
    code, said, _ = collect("review", str(proposed.root))
    assert code == 0
    assert "Look at what the model wrote: `output_text: jane@example.org`" in said


def test_a_login_that_is_a_word_of_every_run_is_not_looked_for(collect: Review, proposed: Results) -> None:
    path = stored(proposed, runtime="mlx", model_publisher="mlx-community")
    for word in ("mlx", "MLX", "unsloth"):
        code, _, complained = collect("review", str(path), "--name", word)
        assert (code, complained) == (0, f"Not looked for, as files of results are full of it: {word}.\n")


@pytest.mark.parametrize("command", ["review", "validate"])
def test_a_results_folder_that_is_a_link_is_refused(
    command: str, collect: Review, proposed: Results, results: Results
) -> None:
    stored(results)
    proposed.root.symlink_to(results.root)
    code, said, _ = collect(command, str(proposed.root))
    assert code == 1
    assert "It is a link, or no file at all." in said


def test_a_word_that_must_not_occur_is_found(collect: Review, proposed: Results) -> None:
    path = stored(proposed, served_by="wangs-mac")
    assert collect("review", str(path))[0] == 0
    code, _, complained = collect("review", str(path), "--name", "wangs-mac")
    assert code == 1
    assert "served_by: wangs-mac" in complained


# ---------------------------------------------------------------- nobody else writes the summary


@for_all(st.text(alphabet=st.sampled_from("`|*_[]()<>@#!\\ \n\t\x1b\u202eaz.:/"), max_size=40))
def test_words_of_a_file_stay_one_code_span_in_a_table_and_outside(text: str) -> None:
    markdown = MarkdownIt("commonmark").enable(["table"])
    for source in (f"x {review.code(text)} y", f"| a | b |\n|---|---|\n| {review.code(text)} | z |"):
        tokens = [child for token in markdown.parse(source) for child in token.children or []]
        assert {token.type for token in tokens} <= {"text", "code_inline"}, source
        assert [token.type for token in tokens].count("code_inline") == 1
        assert "\x1b" not in source
        assert "\u202e" not in source


def test_a_hostile_file_shows_as_it_is(collect: Review, proposed: Results) -> None:
    evil = "`` @everyone | ![x](http://evil.example/x.png) <script> #1\n\n# owned"
    path = stored(
        proposed,
        model_key=evil,
        quantization=evil,
        preflight=[{"name": evil, "verdict": "fail", "detail": evil}],
    )
    code, said, _ = collect("review", str(path))
    assert code == 0
    tokens = MarkdownIt("commonmark").enable(["table"]).parse(said)
    headings = [inline.content for token, inline in pairwise(tokens) if token.type == "heading_open"]
    assert headings == ["Results for review", f"`{path.name}`"]
    inline = [child for token in tokens for child in token.children or []]
    assert not {"image", "link_open", "html_inline"} & {token.type for token in inline}
    assert not [
        token.content for token in inline if token.type == "text" and ("@" in token.content or "#" in token.content)
    ]


# ---------------------------------------------------------------- what is published here


RUNS = sorted((CLONE / "results" / "runs").glob("*.parquet"))
JUDGED = [path for kind in ("grades", "votes") for path in sorted((CLONE / "results" / kind).glob("*.parquet"))]
TEXTS = sorted(path for path in (CLONE / "results").iterdir() if path.is_file() and path.name != ".gitkeep")


@pytest.mark.parametrize("path", [*RUNS, *JUDGED], ids=lambda path: path.stem[-12:])
def test_every_published_file_would_pass_again(path: Path) -> None:
    assert _faults.of_file(path, path.parent.name).faults == []


@pytest.mark.parametrize("path", RUNS, ids=lambda path: path.stem[-12:])
def test_no_published_output_names_this_machine_or_its_user(path: Path) -> None:
    rows = read_run(path).to_pylist()
    names = {found for row in rows for _, found in privacy.traces(row)} & set(privacy._names())
    assert names == set()


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: path.name)
def test_every_published_table_would_pass_again(path: Path) -> None:
    assert _faults.of_text(path) == []
