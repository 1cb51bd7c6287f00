"""What files of results would change of what this repository says of its own machines."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from site_src.warehouse import Warehouse

NOTHING = "No answer, no pick and no preference of this repository changes."
OWN = "machine in (select machine from machines where contributor is null)"
ANSWERS = f"select machine, question, verdict from answers where {OWN} order by all"  # noqa: S608
PICKS = f"""
    select machine, priority, context_needed, memory_budget_gb, coalesce(label, verdict) as pick
    from common_budgets where {OWN} order by all
"""  # noqa: S608
VOTES = f"select machine, a_label, b_label, verdict from preference where {OWN} order by all"  # noqa: S608


def told(old: "Warehouse", new: "Warehouse") -> list[str]:
    """A sentence for each answer, pick and preference that the files change; one that says so where none is."""
    said = [f"Question {key[1]} on {key[0]}: {how}." for key, how in _differing(old, new, ANSWERS, 2)]
    for (machine, priority, context, budget), how in _differing(old, new, PICKS, 4):
        said.append(f"For {priority} at {context:,} tokens in {budget:g} GB on {machine}: {how}.")
    for (machine, one, other), how in _differing(old, new, VOTES, 3):
        said.append(f"What people prefer, {one} or {other}, on {machine}: {how}.")
    return said or [NOTHING]


def _differing(old: "Warehouse", new: "Warehouse", query: str, width: int) -> list[tuple[tuple[Any, ...], str]]:
    """Keys, the first `width` columns of a query, whose last column differs, and how."""
    before, after = (
        {tuple(row.values())[:width]: list(row.values())[-1] for row in each.rows(query)} for each in (old, new)
    )
    keys = sorted({*before, *after}, key=str)
    return [
        (key, f"{before.get(key, '–')} → {after.get(key, '–')}") for key in keys if before.get(key) != after.get(key)
    ]
