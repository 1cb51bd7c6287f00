"""Questions to the views from a process that is measuring, or about to.

DuckDB and Arrow take some 100 MB, and this process shall stay small while it measures; so a child asks and ends.
"""

import json
import re
import subprocess
import sys
from typing import Any

from collector import children
from collector.errors import SystemRefused, TableInvalid
from collector.schema import Results


def rows(results: Results, sql: str, here: dict[str, Any] | None = None, **values: Any) -> list[dict[str, Any]]:
    """The answer to a query, a dict a row; `$name` in it stands for a value, `here` is as `Warehouse` takes it.

    Dates come as text. Raises TableInvalid, SystemRefused.
    """
    asked = {"results": str(results.root), "sql": sql, "here": here, "values": values}
    command = [sys.executable, "-m", "collector.commands._ask"]
    done = subprocess.run(
        command,
        input=json.dumps(asked),
        capture_output=True,
        text=True,
        check=False,
        env=children.environment(),
        start_new_session=True,
    )
    if done.returncode:
        said = (done.stderr.strip().splitlines() or ["no word"])[-1]
        raise SystemRefused(
            f"What is stored could not be asked: {said}.", "`collect validate` says whether a file is odd."
        )
    answer = json.loads(done.stdout)
    if "invalid" in answer:
        raise TableInvalid(*answer["invalid"])
    found: list[dict[str, Any]] = answer["rows"]
    return found


def about(results: Results, sql: str, facts: dict[str, Any]) -> list[dict[str, Any]]:
    """The answer to a query in which `$name` stands for the run column of that name in `facts`. Raises TableInvalid."""
    return rows(results, sql, **{name: facts.get(name) for name in re.findall(r"\$(\w+)", sql)})


def _main() -> None:
    from pathlib import Path

    from site_src.warehouse import Warehouse

    asked = json.load(sys.stdin)
    try:
        warehouse = Warehouse(Results(Path(asked["results"])), here=asked["here"])
        answer: dict[str, Any] = {"rows": warehouse.rows(asked["sql"], **asked["values"])}
    except TableInvalid as error:
        answer = {"invalid": [error.happened, error.remedy]}
    json.dump(answer, sys.stdout, default=str)


if __name__ == "__main__":
    _main()
