"""Is a stored figure right, or NULL with a reason, whatever was done to a stream on its way?

    scripts/bench evidence [--full]

Streams are made from true timelines (`_timelines.py`): real text in tokens, each with the time it was made. Then
stamps are dropped, arrivals bundled, reasoning hidden, counts misreported, choices added; what a client would have
stored of it goes through the views. *Wrong* is a decode speed, a TTFT or an end-to-end rate that is more than 3 % from
the true one, and not NULL. Of kinds that leave a contradiction in the stream at most 0.1 % may be wrong; kinds that
leave none are listed with their worst error. Of honest streams (one to eight tokens a chunk, jitter, a pause) 1 % may
lose a figure or get a note. --full: 100,000 streams and 20,000 honest ones; else a twentieth of that.
"""

import argparse
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from random import Random
from typing import Any

import pyarrow as pa

from collector.schema import arrow_schema
from scripts.benches._misfortunes import KINDS
from scripts.benches._timelines import Shown, honest, stamped, timeline
from site_src import intake
from site_src.layers import in_layers
from tests.reduced import EVIDENCE

MOST = 0.03  # off by more is wrong
BATCH = 4_000  # streams that go through the views at once
SEED = 18
FIGURES = ("decode_tps", "ttft_ms", "e2e_tps")
HONEST = "honest: one to eight tokens a chunk, jitter, a pause"
COLUMNS = (
    *("op_index", "max_tokens", "completion_tokens", "reasoning_tokens", "finish_reason", "reported_decode_tps"),
    *("first_event_ns", "first_text_ns", "first_answer_ns", "last_text_ns", "done_ns", "output_text"),
)


@dataclass
class Kind:
    """What came of the streams of one kind."""

    is_contradiction: bool
    count: int = 0
    wrong: int = 0
    silenced: int = 0  # without a decode speed or a TTFT
    noted: int = 0
    worst: float = 0.0
    reasons: Counter[str] = field(default_factory=Counter)
    wrong_figures: Counter[str] = field(default_factory=Counter)
    errors: list[float] = field(default_factory=list)  # of decode speed, where there is one
    within: int = 0  # of these, how many no further off than the estimate's own error and 1 %


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--full", action="store_true", help="100,000 streams and 20,000 honest ones")
    full = parser.parse_args().full
    streams, honest_ones = (many if full else many // 20 for _, many in EVIDENCE.values())
    began = time.perf_counter()
    print(
        f"evidence: {streams:,} streams of {len(KINDS)} kinds, {honest_ones:,} honest ones, seed {SEED}\n", flush=True
    )
    report(tried(SEED, streams, honest_ones))
    print(f"\n{time.perf_counter() - began:.0f} s", flush=True)


def tried(seed: int, streams: int, honest_ones: int) -> dict[str, Kind]:
    """What the views make of so many streams, the kinds in turn; of honest ones first."""
    found = {HONEST: Kind(False)} | {name: Kind(contradicts) for name, (_, contradicts) in KINDS.items()}
    for batch in batches(made(seed, streams, honest_ones)):
        names, shown = zip(*batch, strict=True)
        for name, one, row in zip(names, shown, by_views(list(shown)), strict=True):
            judge(found[name], one, row)
    return found


def made(seed: int, streams: int, honest_ones: int) -> Iterator[tuple[str, Shown]]:
    """Each stream from its own number."""
    for number in range(honest_ones):
        yield HONEST, honest(timeline(Random(f"{seed} {number}"), pause=True))
    kinds = list(KINDS.items())
    for number in range(streams):
        name, (kind, _) = kinds[number % len(kinds)]
        yield name, kind(Random(f"{seed} {name} {number}"))


def batches(streams: Iterator[tuple[str, Shown]]) -> Iterator[list[tuple[str, Shown]]]:
    while batch := list(islice(streams, BATCH)):
        yield batch


def by_views(streams: list[Shown]) -> list[dict[str, Any]]:
    """Rows of request_speed for these, each a request of one run."""
    rows = table(streams)
    con = intake.connect()
    intake.make_tables(con)
    intake.insert(con, "raw_facts", rows.drop_columns([name for name in intake.WIDE if name in rows.column_names]))
    for name, kept in intake.workshop().figures(rows):
        intake.insert(con, name, kept)
    for view in in_layers().values():
        if view.is_foundation or view.path.stem == "0_macros":
            con.sql(view.sql)
    for name in ("run_roundtrip", "stg_requests", "request_counts", "request_evidence", "request_speed"):
        con.sql(in_layers()[name].as_table())
    told = con.sql("from request_speed order by op_index").to_arrow_table().to_pylist()
    con.close()
    return told


def table(streams: list[Shown]) -> pa.Table:
    """Run-file rows, as the collector would have written them."""
    schema = arrow_schema()
    gaps: list[int] = []
    kinds: list[str] = []
    chars: list[int] = []
    ends = [0]
    columns: dict[str, list[Any]] = {name: [] for name in COLUMNS}
    for number, shown in enumerate(streams):
        stamps = stamped(Random(number), shown)
        before = 0
        for at, kind, text, _ in stamps:
            gaps.append(at - before)
            kinds.append(kind)
            chars.append(len(text))
            before = at
        ends.append(len(gaps))
        texts = [at for at, _, text, _ in stamps if text]
        values = (
            number, shown.max_tokens, shown.tokens, shown.reasoning, shown.finish, shown.reported_tps,
            stamps[0][0] * 1000, texts[0] * 1000, texts[0] * 1000, texts[-1] * 1000, before * 1000 + 200_000,
            "".join(text for _, _, text, _ in stamps),
        )  # fmt: skip
        for name, value in zip(COLUMNS, values, strict=True):
            columns[name].append(value)
    entries = pa.StructArray.from_arrays(
        [pa.array(gaps, pa.int64()), pa.array(kinds, pa.string()), pa.array(chars, pa.int32())],
        names=["gap_us", "kind", "chars"],
    )
    same = {"file": "x.parquet", "run_id": "x", "op": "request", "prompt_id": "x", "prompt_tokens": 40}
    cells = {name: pa.array([value] * len(streams)) for name, value in same.items()}
    cells |= {name: pa.array(values, schema.field(name).type) for name, values in columns.items()}
    return pa.table(cells | {"chunks": pa.ListArray.from_arrays(pa.array(ends, pa.int32()), entries)})


def truth(shown: Shown) -> dict[str, float]:
    """The true figures: decode after what came first, as the tokens were made."""
    texts = [event for event in shown.events if event[2]]
    first = sum(size for at, _, _, size in texts if at < texts[0][0] + 800)
    first = min(first, len(shown.made) - 1)
    took = shown.made[-1] - shown.made[first - 1]
    return {
        "decode_tps": 1e6 * (len(shown.made) - first) / took,
        "ttft_ms": shown.first / 1000,
        "e2e_tps": 1e6 * shown.count / shown.events[-1][0],
    }


def judge(kind: Kind, shown: Shown, row: dict[str, Any]) -> None:
    """Count what the views said of one stream."""
    true = truth(shown)
    off = {name: abs(row[name] / true[name] - 1) for name in FIGURES if row[name] is not None}
    wrong = [name for name, error in off.items() if error > MOST]
    kind.count += 1
    kind.wrong += bool(wrong)
    kind.wrong_figures.update(wrong)
    kind.worst = max([kind.worst, *off.values()])
    kind.silenced += row["decode_tps"] is None or row["ttft_ms"] is None
    kind.noted += row["note"] is not None
    kind.reasons.update(reason for reason in {row["decode_reason"], row["ttft_reason"], row["note"]} if reason)
    if row["decode_tps"] is not None:
        kind.errors.append(off["decode_tps"])
        kind.within += off["decode_tps"] <= row["decode_count_error"] + 0.01


def report(found: dict[str, Kind]) -> None:
    """A paragraph a kind, then the bounds."""
    for name, kind in found.items():
        print(f"{name}: {kind.count:,}")
        print(f"  {percent(kind.wrong, kind):>8} wrong, at most {100 * kind.worst:,.1f} % off", end="")
        print("".join(f"; {figure} {count:,}" for figure, count in kind.wrong_figures.most_common()))
        print(
            f"  {percent(kind.silenced, kind):>8} without decode speed or TTFT, {percent(kind.noted, kind)} with a note"
        )
        if kind.errors:
            ordered = sorted(kind.errors)
            p50, p95, p99 = (100 * ordered[int(share * (len(ordered) - 1))] for share in (0.5, 0.95, 0.99))
            print(
                f"  decode speed of {len(ordered):,}: off by {p50:.2f} % (median), {p95:.2f} (95th), {p99:.2f} (99th)"
            )
            print(f"  {100 * kind.within / len(ordered):7.1f} % of these within the estimate's own error and 1 %")
        for reason, count in kind.reasons.most_common(4):
            print(f"    {count:>8,}  {reason}")
    print("\nbounds")
    for name, kind in found.items():
        print(f"  {name}: {verdict(name, kind)}")


def verdict(name: str, kind: Kind) -> str:
    """Whether its bound holds, or how bad it can be."""
    if name == HONEST:
        lost = kind.silenced + kind.noted
        holds = "holds" if lost <= 0.01 * kind.count else "does not hold"
        return f"{percent(lost, kind)} lost a figure or got a note; bound 1 %: {holds}"
    if kind.is_contradiction:
        holds = "holds" if kind.wrong <= 0.001 * kind.count else "does not hold"
        return f"{percent(kind.wrong, kind)} wrong; bound 0.1 %: {holds}"
    return f"leaves no contradiction; {percent(kind.wrong, kind)} wrong, worst {100 * kind.worst:,.0f} %"


def percent(count: int, kind: Kind) -> str:
    return f"{100 * count / kind.count:.3f} %"


if __name__ == "__main__":
    main()
