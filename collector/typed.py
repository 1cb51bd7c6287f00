"""What a server says of itself, before it is taken for a value of the run file."""

from typing import Any

from collector.schema import COLUMNS, LARGEST

TYPES = {column.name: column.type for column in COLUMNS}


def typed(facts: dict[str, Any]) -> dict[str, Any]:
    """The same columns less values of the wrong type, and numbers that no server can mean: it may say anything.

    All that a server counts or measures is zero or more.
    """
    return {name: value for name, value in facts.items() if _can_be(TYPES.get(name), value)}


def _can_be(kind: str | None, value: Any) -> bool:
    if kind in LARGEST:
        is_number = isinstance(value, int | float if kind == "DOUBLE" else int) and not isinstance(value, bool)
        return is_number and 0 <= value <= LARGEST[kind]  # false for NaN
    return isinstance(value, {"VARCHAR": str, "BOOLEAN": bool}.get(kind or "", object))
