"""What a run measured, as the views say it."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from site_src.warehouse import Warehouse


def figures(warehouse: "Warehouse", run_id: str) -> dict[str, Any]:
    """The run's row of the mart `runs`, with its prompts' figures under `prompts`; `{}` where it does not count."""
    run = next(iter(warehouse.rows("select * from runs where run_id = $id", id=run_id)), None)
    if run is None:
        return {}
    prompts = warehouse.rows("select * from prompt_speed where run_id = $id order by prompt_id", id=run_id)
    return {**run, "prompts": prompts}


PARTNER = """
    select b_id as partner_id, pair_speed.request_count
    from pairs left join pair_speed using (a_id, b_id)
    where kind = 'framework' and a_id = $configuration
    union all
    select a_id, pair_speed.request_count
    from pairs left join pair_speed using (a_id, b_id)
    where kind = 'framework' and b_id = $configuration
    order by request_count desc nulls last, partner_id
    limit 1
"""


def comparisons(warehouse: "Warehouse", run: dict[str, Any]) -> list[dict[str, Any]]:
    """Rows of the mart `comparison`: this run and the one before it, and its partner with the other runtime."""
    before = warehouse.rows("from comparison where kind = 'run' and a_id = $id", id=run["run_id"])
    partner = warehouse.rows(PARTNER, configuration=run["configuration_id"])
    if not partner:
        return before
    warehouse.ask(run["run_id"], partner[0]["partner_id"])
    return before + warehouse.rows("from comparison where kind = 'asked'")


def show_comparisons(rows: list[dict[str, Any]]) -> None:
    """A line each on stderr: what changed since the run before, and how the partner differs."""
    from rich.console import Console
    from rich.text import Text

    from collector.commands import _sides
    from site_src.visible import visible

    console = Console(stderr=True, highlight=False)
    for row in rows:
        if row["kind"] == "run":
            versions = "" if row["a_version"] == row["b_version"] else f", then {row['b_version']}"
            other = f"the run before ({row['b_latest_run_at']:%Y-%m-%d %H:%M} UTC{versions})"
        else:
            other = row["b_label"]
        told = [
            f"{figure.partition(',')[0]} {ratio}: {_sides.called(verdict, 'this one', 'the other')}"
            for figure, _, _, ratio, verdict in _sides.lines(row)
            if ratio != "–"
        ]
        if told and row["verdict"] != "one run a side":
            told.append(_sides.runs(row))
        said = "; ".join(told) if told else f"not comparable ({row['reason']})"
        console.print(Text(visible(f"against {other}: {said}")))


def show(run: dict[str, Any]) -> None:
    """A short table on stderr: speeds by prompt with repeats and spread, then memory and load time."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from site_src.visible import visible

    table = Table(title=Text(visible(f"{run['label']}   {run['machine']}")), title_justify="left", title_style="bold")
    for heading in ("prompt", "decode tokens/s", "min – max", "TTFT ms", "min – max", "n"):
        table.add_column(heading, justify="left" if heading == "prompt" else "right")
    for prompt in run["prompts"]:
        table.add_row(
            Text(visible(prompt["prompt_id"])),
            _number(prompt["decode_tps"]),
            _range(prompt["decode_tps_min"], prompt["decode_tps_max"]),
            _number(prompt["ttft_ms"]),
            _range(prompt["ttft_ms_min"], prompt["ttft_ms_max"]),
            f"{prompt['decode_count']}/{prompt['request_count']}",
        )
    table.add_section()
    is_alone = run["interval_kind"] != "between runs"
    table.add_row(
        f"all prompts (95 %, {'within this run' if is_alone else 'another day'})",
        _number(run["decode_tps"]),
        _range(run["decode_tps_low"], run["decode_tps_high"]),
        _number(run["ttft_ms"]),
        _range(run["ttft_ms_low"], run["ttft_ms_high"]),
        f"{run['decode_count']}/{run['request_count']}",
    )
    console = Console(stderr=True, highlight=False)
    console.print(table)
    memory = f"peak memory {_number(run['peak_memory_gb'])} GB ({run['peak_memory_kind']})"
    console.print(Text(visible(f"{memory} · load time {_number(run['load_s'])} s")))
    if run["decode_tps_low"] is not None:
        within = _range(run["decode_tps_within_low"], run["decode_tps_within_high"])
        told = "no configuration of this machine has two runs yet: nothing is known of another day"
        console.print(f"one run; {told if is_alone else f'its repeats alone would say {within} tokens/s'}")
    if run["reason"]:
        console.print(Text(visible(f"note: {run['reason']}"), "yellow"))


def _number(value: float | None) -> str:
    from site_src import figures

    return "–" if value is None else figures.number(value)


def _range(low: float | None, high: float | None) -> str:
    return "–" if low is None or high is None else f"{_number(low)} – {_number(high)}"
