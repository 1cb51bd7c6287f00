"""The hand-kept CSVs of a results folder: which columns they have, and in words what is wrong with one."""

import csv
import re
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import duckdb
import pyarrow as pa

from collector import capacity
from collector.schema import CLONE, TableInvalid

NUMBER, WHOLE = re.compile(r"-?[0-9]{1,15}(\.[0-9]{1,15})?"), re.compile(r"[0-9]{1,15}")
LEAST_NAMED = 3  # characters of an alias that are no wildcards
MOST = 1e9  # of any number; no size, time or count here comes near


@dataclass(frozen=True)
class Shape:
    """What a table must look like; names of columns are separated by spaces. An empty field is unknown."""

    filled: str  # in every row
    unique: str  # no two rows agree in all of these
    others: str = ""
    numbers: str = ""  # of the above
    whole: Mapping[str, float] = field(default_factory=dict)  # of these: from 0 up to so much, so that products fit
    later: str = ""  # came after the first version of the table: a file without them is an old one
    one_of: Mapping[str, tuple[str | None, ...]] = field(default_factory=dict)

    @property
    def columns(self) -> list[str]:
        """Every column that views may read."""
        return f"{self.filled} {self.others} {self.later}".split()


STATUSES = ("pending", "running", "archived", "to-find", "unavailable", "failed")
TABLES = {
    "archive.csv": Shape(
        filled="model variant harness",
        unique="model variant harness",
        others="decode_tps memory_gb note",
        later="chip",
        numbers="decode_tps memory_gb",
    ),
    "clients.csv": Shape(
        filled="client request_count engine machine measured_on",
        unique="client engine machine",
        others="decode_error_percent decode_error_percent_max decode_error_abs_percent ttft_excess_ms cached_count "
        "cpu_s rss_mb",
        numbers="request_count decode_error_percent decode_error_percent_max decode_error_abs_percent ttft_excess_ms "
        "cached_count cpu_s rss_mb",
    ),
    "machines.csv": Shape(
        filled="chip memory_bandwidth_gbs source",
        unique="chip gpu_cores",
        others="gpu_cores",
        numbers="gpu_cores memory_bandwidth_gbs",
        whole={"gpu_cores": MOST},
    ),
    "models.csv": Shape(
        filled="model aliases",
        unique="model",
        others="parameters_total_b parameters_active_b context_advertised suites",
        later="layers full_attention_layers kv_heads head_dim hidden_size experts experts_active source "
        "attention_heads expert_size vocabulary weights_per_token_b",
        numbers="parameters_total_b parameters_active_b context_advertised "
        "layers full_attention_layers kv_heads head_dim hidden_size experts experts_active "
        "attention_heads expert_size vocabulary weights_per_token_b",
        whole={
            **dict.fromkeys(
                ["context_advertised", "hidden_size", "experts", "experts_active", "expert_size", "vocabulary"], MOST
            ),
            **dict.fromkeys(["layers", "full_attention_layers", "kv_heads", "head_dim", "attention_heads"], 1000),
        },
    ),
    "plan.csv": Shape(
        filled="model variant runtime quantization bits priority status",
        unique="model runtime quantization kind",
        others="format size_gb memory_gb compare_to source note",
        later="kind context_length budget_s",
        numbers="bits size_gb memory_gb priority context_length budget_s",
        whole={"bits": 64, "priority": MOST, "context_length": MOST},
        one_of={"status": STATUSES, "runtime": ("mlx", "llama.cpp"), "kind": (None, "speed", "context")},
    ),
}


def read(path: Path) -> pa.Table:
    """The table as text, an empty field as NULL, with `line` for the line in the file. Raises TableInvalid."""
    shape = TABLES[path.name]
    rows = _rows(path, shape)
    seen: dict[tuple[str | None, ...], int] = {}
    for line, row in rows:
        _check(path, line, row, shape)
        key = tuple((row[name] or "").lower() for name in shape.unique.split())
        if key in seen:
            wrong = f"it says the same {', '.join(shape.unique.split())} as line {seen[key]}"
            raise _wrong(path, line, wrong, "Remove one of the two.")
        seen[key] = line
    columns = {name: pa.array([row[name] for _, row in rows], pa.string()) for name in shape.columns}
    return pa.table({"line": pa.array([line for line, _ in rows], pa.int64()), **columns})


def put(con: duckdb.DuckDBPyConnection, found: Mapping[str, pa.Table]) -> None:
    """Such tables into a database, as `raw_models` and the like."""
    for name, table in found.items():
        con.register("incoming", table)
        con.execute(f"create or replace table raw_{Path(name).stem} as from incoming")  # our own file's name
        con.unregister("incoming")


def _rows(path: Path, shape: Shape) -> list[tuple[int, dict[str, str | None]]]:
    rows: list[tuple[int, dict[str, str | None]]] = []
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            raise _wrong(path, None, "it is no regular file", "Put the table itself there.")
        if status.st_size > capacity.FILE_BYTES:
            raise _wrong(path, None, f"it is more than {capacity.FILE_BYTES // 10**6} MB", "Leave most of it out.")
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file, strict=True)
            header = [name.strip() for name in next(reader, [])]
            missing = [name for name in shape.columns if name not in header and name not in shape.later.split()]
            if missing:
                wrong = f"{_counted(missing)} missing; its first line must name the columns"
                raise _wrong(path, None, wrong, "Add what is missing to it and to each row.")
            for fields in reader:
                if not fields:
                    continue  # an empty line
                if len(fields) != len(header):
                    wrong = f"{len(fields)} fields, but {len(header)} columns"
                    raise _wrong(path, reader.line_num, wrong, "A text with a comma needs quotation marks.")
                if len(rows) == capacity.ROWS:
                    raise _wrong(path, None, f"it has more than {capacity.ROWS:,} lines", "Leave most of them out.")
                named = dict(zip(header, (text.strip() or None for text in fields), strict=True))
                rows.append((reader.line_num, {name: named.get(name) for name in shape.columns}))
    except (csv.Error, UnicodeDecodeError) as error:
        raise _wrong(path, None, f"it is no CSV in UTF-8 ({error})", "Save it as CSV, UTF-8.") from None
    except OSError as error:
        raise _wrong(path, None, f"it cannot be read ({error.strerror})", "Restore it, from git say.") from None
    return rows


def _check(path: Path, line: int, row: dict[str, str | None], shape: Shape) -> None:
    for name in shape.filled.split():
        if row[name] is None:
            raise _wrong(path, line, f"{name} is empty", "Fill it in.")
    for name, value in row.items():
        if value is not None and len(value) > capacity.WORDS:
            raise _wrong(path, line, f"{name} is longer than {capacity.WORDS:,} characters", "Shorten it.")
    for name in shape.numbers.split():
        value, most = row[name], shape.whole.get(name)
        if value is None:
            continue
        if not NUMBER.fullmatch(value):
            raise _wrong(path, line, f"{name} is {value!r}, not a number", "Write it like 12.5, or leave it empty.")
        if most is not None and not (WHOLE.fullmatch(value) and int(value) <= most):
            raise _wrong(path, line, f"{name} is {value}, not a whole number up to {most:,.0f}", "Look it up again.")
        if abs(float(value)) > MOST:
            raise _wrong(path, line, f"{name} is {value}, more than {MOST:,.0f}", "Look it up again.")
    for alias in (row.get("aliases") or "").split():
        if len(re.sub(r"\[.*?\]|[*?]", "", alias)) < LEAST_NAMED:
            wrong = f"the alias {alias!r} stands for models of nearly any name"
            raise _wrong(path, line, wrong, "Write what those models' names have in common.")
    for name, choices in shape.one_of.items():
        if row[name] not in choices:
            raise _wrong(path, line, f"{name} is {row[name]!r}", f"It is one of: {', '.join(filter(None, choices))}.")


def _wrong(path: Path, line: int | None, what: str, remedy: str) -> TableInvalid:
    return TableInvalid(f"{_shown(path)}{f', line {line}' if line else ''}: {what}.", remedy)


def _counted(names: list[str]) -> str:
    return f"the column {names[0]} is" if len(names) == 1 else f"the columns {', '.join(names)} are"


def _shown(path: Path) -> str:
    """Within the clone, as its reader knows it; no folder of this machine elsewhere than asked for."""
    return str(path.relative_to(CLONE)) if path.is_relative_to(CLONE) else str(path)
