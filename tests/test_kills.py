"""A small, seeded part of `scripts/bench kills`: the same chain of kills, of `collect` on a scripted server."""

import random
import time
from pathlib import Path

from scripts.benches._kills import Chain, Victim
from tests.conftest import DONE, delta, usage
from tests.loopback import Handler, Loopback

KILLS, SEED, PAUSE_S = 4, 512, 0.02


def slowly(handler: Handler) -> None:
    """An answer of some tokens, with time between them for a kill to fall into."""
    handler.begin_stream()
    for piece in (*(delta(content=f"word{number} ") for number in range(5)), delta("stop"), usage(30, 5), DONE):
        time.sleep(PAUSE_S)
        handler.piece(piece)
    handler.piece(b"")


def test_after_kills_at_random_moments_every_finished_operation_is_in_exactly_one_valid_file(tmp_path: Path) -> None:
    print(f"{KILLS} kills, seed {SEED}; `scripts/bench kills --full` does 300, with a real engine")
    with Loopback() as server:
        server.otherwise = server.warmup = slowly
        arguments = ("--url", server.url, "--suite", "standard", "--repeats", "2", "--force")
        tally = Chain(Victim("collect", arguments), tmp_path, random.Random(SEED)).run(KILLS)
    assert tally.faults == []
    assert (tally.kills, sum(tally.phases.values())) == (KILLS, KILLS)
    assert tally.operations > 20
