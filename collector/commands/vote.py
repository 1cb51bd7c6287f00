"""`collect vote`: two outputs of the same request, builds hidden; which is better?"""

import secrets
import sys
from typing import TYPE_CHECKING, Any

import click

from collector.commands import say
from collector.commands.run import results_option
from collector.errors import NobodyToAsk, NothingToVote

if TYPE_CHECKING:
    from pathlib import Path

    from rich.console import Console, RenderableType
    from rich.text import Text

    from site_src.warehouse import Warehouse

Row = dict[str, Any]

KEYS = "abtxsq"
ASKED = "[a] / [b] / [t]ie / both bad [x] / [s]kip / [q]uit"
SIDE_BY_SIDE = 120  # columns of a terminal in which two texts stand side by side
LONGEST, PROMPT_LONGEST = 20_000, 3_000  # characters shown of an answer, and of a prompt
MOST_LINES, PROMPT_MOST_LINES = 400, 40
OTHER = {"a": "b", "b": "a"}

OPEN = "from vote_choices where not list_contains(voters, $voter) order by place"
ANSWER = "select file, op_index, prompt_category from raw_facts where run_id = $run and op_index = $place"


@click.command(name="vote")
@click.option("--count", type=click.IntRange(1), help="Stop after so many votes.  [default: when you quit]")
@results_option
def command(count: int | None, results: str | None) -> None:
    """Judge two answers to the same prompt, without knowing which model, quantization or engine wrote which.

    Each vote is stored at once as a file in results/votes, and only then it is told which was which. The paths go to
    stdout when you quit, everything else to stderr.
    """
    from collector import votes
    from collector.commands import _owner
    from collector.schema import Results
    from site_src.warehouse import Warehouse

    if not _is_terminal():
        raise NobodyToAsk("Nobody can be asked: input is no terminal.", "Run `collect vote` in a terminal window.")
    folder = Results.find(results)
    _owner.tell(folder)
    warehouse = Warehouse(folder)
    voter = votes.voter(folder)
    left = warehouse.rows(OPEN, voter=voter)
    if not left:
        raise _nothing(warehouse)
    skipped: list[Row] = []
    stored: list[Path] = []
    code = 0
    try:
        while left and (count is None or len(stored) < count):
            pair, first = left[0], secrets.choice("ab")
            _show(warehouse, pair, first)
            if choice := _choice(first):
                stored.append(votes.keep(folder, _vote(pair, first, choice)))
                warehouse.refresh()
                _reveal(warehouse, pair, first)
            else:
                skipped.append(_texts(pair))
            left = [row for row in warehouse.rows(OPEN, voter=voter) if _texts(row) not in skipped]
        if not left:
            say("That was the last one." if not skipped else "Only those that you skipped are left.")
    except _Quit:
        pass
    except (click.Abort, KeyboardInterrupt):
        say("\nStopped.")
        code = 130
    finally:
        if stored:
            _owner.claim(folder)
        for path in stored:
            click.echo(path)
    sys.exit(code)


class _Quit(Exception):
    """The person has had enough."""


def _is_terminal() -> bool:
    return sys.stdin.isatty()


def _nothing(warehouse: "Warehouse") -> NothingToVote:
    known = warehouse.rows("select place from vote_choices")
    if known:
        return NothingToVote(
            f"You have judged every pair of answers that is stored ({len(known)}).",
            "`collect --quality` on another configuration of a machine gives more.",
        )
    return NothingToVote(
        "No two configurations of one machine have different answers to the same prompt.",
        "Run `collect --quality` on two of them first.",
    )


def _texts(pair: Row) -> Row:
    """What makes two answers these two."""
    return {name: pair[name] for name in ("a_id", "b_id", "prompt_sha256", "nonce", "a_sha256", "b_sha256")}


def _choice(first: str) -> str | None:
    """What the person says of the two, A being the side that is `first`; None to skip them. Raises _Quit."""
    key = click.prompt(ASKED, type=click.Choice(list(KEYS), case_sensitive=False), show_choices=False, err=True)
    if key == "q":
        raise _Quit
    return {"a": first, "b": OTHER[first], "t": "tie", "x": "both bad"}.get(key)


def _vote(pair: Row, first: str, choice: str) -> Row:
    sides = [f"{side}_{name}" for side in "ab" for name in ("run_id", "op_index", "sha256")]
    known = {name: pair[name] for name in ("prompt_id", "prompt_sha256", "nonce", *sides)}
    return {**known, "shown_first": first, "choice": choice}


def _show(warehouse: "Warehouse", pair: Row, first: str) -> None:
    """The prompt, then both answers: A is the one of the side that is `first`."""
    from rich.table import Table

    from collector import suite

    console = _console()
    answers = [
        warehouse.rows(ANSWER, run=pair[f"{side}_run_id"], place=pair[f"{side}_op_index"])[0]
        for side in (first, OTHER[first])
    ]
    prompt = suite.known().get(pair["prompt_sha256"])
    category = prompt.category if prompt else answers[0]["prompt_category"]
    title = f"prompt {pair['prompt_id']}" + (f" ({category})" if category else "")
    console.rule()
    if prompt:
        console.print(_panel(title, prompt.text, PROMPT_LONGEST, PROMPT_MOST_LINES))
    else:
        console.print(_line(f"{title}: its text is in no suite any more"))
    shown: list[RenderableType] = [
        _panel(name, warehouse.texts(answer["file"]).get(answer["op_index"]) or "")
        for name, answer in zip("AB", answers, strict=True)
    ]
    if console.width >= SIDE_BY_SIDE:
        beside = Table.grid(expand=True, padding=(0, 1))
        beside.add_column(ratio=1)
        beside.add_column(ratio=1)
        beside.add_row(*shown)
        shown = [beside]
    for part in shown:
        console.print(part)


def _reveal(warehouse: "Warehouse", pair: Row, first: str) -> None:
    """Which was which, and how many votes the two builds have now; not who leads, for the votes to come."""
    ids = {"a": pair["a_id"], "b": pair["b_id"]}
    [counted] = warehouse.rows("select vote_count, verdict from preference where a_id = $a and b_id = $b", **ids)
    is_clear = pair["a_label"] != pair["b_label"]
    a, b = (pair[f"{side}_label"] + ("" if is_clear else f" (build {ids[side]})") for side in (first, OTHER[first]))
    votes = "1 vote" if counted["vote_count"] == 1 else f"{counted['vote_count']} votes"
    enough = counted["verdict"] if counted["verdict"] == "not enough votes" else "enough for a verdict"
    _console().print(_line(f"A was {a}; B was {b}. This pair has {votes}: {enough}."))


def _console() -> "Console":
    from rich.console import Console

    return Console(stderr=True, highlight=False)


def _panel(title: str, text: str, longest: int = LONGEST, most_lines: int = MOST_LINES) -> "RenderableType":
    """Somebody else's words in a frame: nothing in them steers the terminal, or is markup."""
    from rich.panel import Panel
    from rich.text import Text

    from site_src.visible import visible

    whole = visible(text).strip("\n")
    lines = whole[:longest].split("\n")
    cut = "\n".join(lines[:most_lines])
    shown = Text(cut)
    if len(cut) < len(whole):
        shown.append(f"\n… cut here: {len(whole) - len(cut)} of {len(whole)} characters are not shown", "yellow")
    return Panel(shown, title=_line(title), title_align="left")


def _line(text: str) -> "Text":
    """Somebody else's words on one line."""
    from rich.text import Text

    from site_src.visible import visible

    return Text(" ".join(visible(text).split()))
