"""What `collector.commands._ask` asks in a child process, asked in this one: starting another takes a second."""

import json
from typing import Any

from collector.backends import Facts
from collector.schema import Results
from site_src.warehouse import Warehouse


def rows(results: Results, sql: str, here: Facts | None = None, **values: Any) -> list[Facts]:
    """The same answer, having been JSON, too."""
    found: list[Facts] = json.loads(json.dumps(Warehouse(results, here=here).rows(sql, **values), default=str))
    return found
