"""Votes: what a person chose of two outputs, each at once in a file of its own, so that stopping loses none."""

import re
import secrets
from pathlib import Path

from collector import measure, store, whole
from collector.backends import Facts
from collector.errors import StoreFailed
from collector.judgments import CHOICES, VOTE, VOTES_FORMAT
from collector.schema import Results


def keep(results: Results, vote: Facts) -> Path:
    """Store one vote, given all columns but its id, time and voter; the path of its file. Raises StoreFailed."""
    if vote["choice"] not in CHOICES or vote["shown_first"] not in ("a", "b"):
        raise ValueError(f"no vote: {vote['choice']!r}, {vote['shown_first']!r} first")
    now, vote_id = measure.utc_now(), secrets.token_hex(6)
    row = {**vote, "vote_id": vote_id, "voted_at": now, "voter": voter(results)}
    target = results.votes / f"vote-{now:%Y%m%dt%H%M%Sz}-{vote_id}.parquet"
    table = store.rows_as_table([row], VOTE, VOTES_FORMAT)
    store.keep(results, table, target, f"vote-{vote_id}", "The vote", "Make room or mend the folder, and vote again.")
    return target


def voter(results: Results) -> str:
    """Random digits that stand for whoever votes here, made at the first vote. Raises StoreFailed."""
    path = results.voter
    try:
        known = path.read_text(encoding="ascii", errors="replace").strip() if path.exists() else ""
        if re.fullmatch("[0-9a-f]{12}", known):
            return known
        made = secrets.token_hex(6)
        whole.write(path, f"{made}\n".encode())
    except OSError as error:
        raise StoreFailed(
            f"The voter's digits could not be kept in {path.parent}: {error.strerror or error}.",
            "Make room or mend the folder, and vote again.",
        ) from error
    return made
