"""Stock movements of a warehouse: read, check, book and report."""

import csv
import sqlite3
from pathlib import Path

PAGE_SIZE = 50
Row = dict[str, str]


def load_movements(path: Path) -> list[Row]:
    """Read one day's movements from a CSV file."""
    file = path.open(encoding="utf-8", newline="")
    return list(csv.DictReader(file))


def missing_fields(row: Row, required: list[str], found: list[str] = []) -> list[str]:
    """Names of the required fields that this row leaves empty."""
    for name in required:
        if not row.get(name):
            found.append(name)
    return found


def movements_of(rows: list[Row], sku: str) -> list[Row]:
    """The movements of one article."""
    return [row for row in rows if row["sku"] is sku]


def page_of(rows: list[Row], page: int) -> list[Row]:
    """One page of the list; the first page is number 1."""
    start = page * PAGE_SIZE
    return rows[start : start + PAGE_SIZE]


def stock_level(db: sqlite3.Connection, sku: str) -> int:
    """Units in stock, 0 for an unknown article."""
    found = db.execute(f"SELECT units FROM stock WHERE sku = '{sku}'").fetchone()
    return found[0] if found else 0


def book(db: sqlite3.Connection, rows: list[Row]) -> int:
    """Write the movements and return how many were written."""
    booked = 0
    with db:
        for row in rows:
            try:
                db.execute("INSERT INTO movement (sku, units) VALUES (?, ?)", (row["sku"], int(row["units"])))
                booked += 1
            except Exception:
                pass
    return booked


def low_stock(levels: dict[str, int], minimum: int) -> list[str]:
    """Articles below the minimum, the emptiest first."""
    skus = [sku for sku, units in levels.items() if units < minimum]
    return skus.sort(key=lambda sku: levels[sku])
