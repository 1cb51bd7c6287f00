"""One run as facts and as Markdown. Names, errors and outputs are somebody else's words: nothing in them is markup."""

import re
from collections.abc import Iterable, Iterator
from typing import Any

from collector.schema import RUN
from site_src.figures import heading, plain, unit_of
from site_src.visible import visible
from site_src.warehouse import Warehouse

Row = dict[str, Any]

INTERNAL = re.compile(r".*_(center|se|df|log_mean|log_variance)")  # means and errors of logarithms, for intervals
SHOWN_ELSEWHERE = ("schema_version", "run_id", "run_started_at", "run_state", "preflight", "memory_bytes", "file_bytes")
UNITS = {column.name: column.unit for column in RUN}
NAMED = {"energy_channels": "list_transform(energy_channels, lambda channel: channel.name) as energy_channels"}
TOLD = [NAMED.get(name, name) for name in UNITS if name not in SHOWN_ELSEWHERE]
ANOTHER_DAY = "One run. Intervals of speeds say where these lie on another day, by what runs of this machine differ by."
WITHIN = "One run. No configuration of this machine has two yet: intervals hold within this run alone."
FIGURES = (("decode_tps", "decode_count"), ("ttft_ms", "ttft_count"), ("prefill_tps", "prefill_count"))


def facts(warehouse: Warehouse, run_id: str) -> dict[str, Any]:
    """All that the views, and its file, say of a run. Raises ValueError when there is none of that id."""
    [found] = each(warehouse, run_id)
    return found


def each(warehouse: Warehouse, run_id: str | None = None) -> Iterator[dict[str, Any]]:
    """The facts of the newest runs of each configuration, or of one run. A question is asked once for many runs."""
    runs = warehouse.rows(NEWEST) if run_id is None else warehouse.rows("from runs where run_id = $run", run=run_id)
    for start in range(0, len(runs), BATCH):
        batch = runs[start : start + BATCH]
        ids = [run["run_id"] for run in batch]
        parts = {name: _by_run(warehouse.rows(f"{query} where {OF} {then}", ids=ids)) for name, query, then in PARTS}
        for run in batch:
            told = {name: rows.get(run["run_id"], []) for name, rows in parts.items()}
            told["outputs"] = _with_texts(told["outputs"], warehouse, run["file"])
            yield _of_run(_without_internals(run), told)


REPORTED = "select run_id from newest_runs where has_report"
NEWEST = f"from runs where run_id in ({REPORTED}) order by run_started_at desc, run_id"
BATCH = 500  # runs whose texts are held at a time
OF = "run_id in (select unnest($ids))"
PARTS = (  # of what is said of a run: its name, where it is asked for, and in which order
    (
        "settings",
        f"select run_id, {', '.join(TOLD)} from raw_facts",  # noqa: S608  # columns of our own schema
        "qualify row_number() over (partition by run_id order by op_index) = 1",
    ),
    ("places", "select run_id, block, order_code from run_settings", ""),
    (
        "prompts",
        "select * exclude (configuration_id, label, machine, run_started_at, place) from run_prompts",
        "order by run_id, place",
    ),
    ("memory", "from run_memory", ""),
    ("load", "from run_load", ""),
    ("preflight", "select run_id, name, verdict, detail from run_checks", "order by run_id, place"),
    (
        "failures",
        "select run_id, op, prompt_id, repeat, error_kind, error_detail from raw_facts",
        "and error_kind is not null order by run_id, op_index",
    ),
    (
        "checks",
        "select run_id, prompt_id, op, repeat, coalesce(outcome, 'not judged') as outcome, flaws, is_truncated, "
        "details from output_quality",
        "order by run_id, op_index",
    ),
    (
        "outputs",
        "select run_id, op_index, prompt_id, repeat, finish_reason, error_kind, completion_tokens, "
        "reasoning_chars as reasoning_characters from raw_facts left join stg_texts using (run_id, op_index)",
        "and op = 'request' and repeat = 1 order by run_id, op_index",
    ),
    ("llama_bench", "from llama_bench", ""),
)


def _with_texts(outputs: list[Row], warehouse: Warehouse, file: str) -> list[Row]:
    """Outputs with what was written, from the run's own file."""
    texts = warehouse.texts(file)
    for row in outputs:
        row["output_text"] = texts.get(row.pop("op_index"))
    return outputs


def _by_run(rows: list[Row]) -> dict[str, list[Row]]:
    found: dict[str, list[Row]] = {}
    for row in rows:
        found.setdefault(row.pop("run_id"), []).append(_without_internals(row))
    return found


def _of_run(run: Row, parts: dict[str, list[Row]]) -> dict[str, Any]:
    began = f"{plain('', run['run_started_at'])} UTC"
    several = ("prompts", "preflight", "failures", "checks", "outputs", "llama_bench")
    return {
        "title": " · ".join([run["runtime"], run["model"], run["quantization"], began]),
        "run": run,
        "settings": _settings(run, parts["settings"][0], parts["places"][0]),
        "memory": parts["memory"][0],
        "load": parts["load"][0],
        **{name: parts[name] for name in several},
    }


def _settings(run: Row, raw: Row, place: Row) -> Row:
    """What was measured and how: the run columns that are known."""
    everything = {"machine": run["machine"], **raw, "file_gb": run["file_gb"], **place}
    return {name: value for name, value in everything.items() if value is not None}


def _without_internals(row: Row) -> Row:
    return {name: value for name, value in row.items() if not INTERNAL.fullmatch(name)}


def markdown(report: dict[str, Any]) -> str:
    """The report as Markdown for any reader of it."""
    run = report["run"]
    named = f"Run `{_text(run['run_id'])}`, {_text(run['run_state'] or 'unknown')}; file `{_text(run['file'])}`."
    parts = [f"# {_text(report['title'])}", named]
    if run["reason"]:
        parts.append(f"Missing or doubtful: {_text(run['reason'])}.")
    if report["llama_bench"]:
        parts += ["## llama-bench", _bench(report["llama_bench"])]
    else:
        parts += ["## Figures", _figures(run), "## Prompts", _prompts(report["prompts"])]
        parts += ["## Memory", _facts(report["memory"]), "## Load", _facts(report["load"])]
    parts += ["## Settings", _facts(report["settings"])]
    parts += ["## Pre-flight checks", _table(report["preflight"], "name verdict detail", "Nothing was checked.")]
    columns = "op prompt_id repeat error_kind error_detail"
    parts += ["## Failures and flaws", _table(report["failures"], columns, "None.")]
    if report["checks"]:
        columns = "prompt_id op repeat outcome flaws is_truncated details"
        parts += ["## What checks say of the outputs", _table(report["checks"], columns, "")]
    if report["outputs"]:
        parts += ["## Outputs of the first repeat", *map(_output, report["outputs"])]
    return "\n\n".join(parts) + "\n"


def _figures(run: Row) -> str:
    rows: list[Iterable[str]] = [
        (
            heading(name),
            plain(name, run[name]),
            _range(name, run, "low", "high"),
            plain(count, run[count]),
        )
        for name, count in FIGURES
    ]
    rows.append(("decode within the run, tokens/s", "", _range("decode_tps_within", run, "low", "high"), ""))
    alone = ((name, run[name]) for name in ("cv", "peak_memory_gb", "load_s"))
    rows += [(heading(name), plain(name, value), "", "") for name, value in alone]
    kind = ANOTHER_DAY if run["interval_kind"] == "between runs" else WITHIN if run["interval_kind"] else "One run."
    return "\n\n".join([kind, _grid(("figure", "value", "95 % interval", "requests"), rows)])


def _prompts(prompts: list[Row]) -> str:
    heads = (
        "prompt", heading("decode_tps"), "min – max", heading("cv"), heading("ttft_ms"), "min – max",
        heading("prefill_tps"), "tokens generated", "valid of sent", heading("reason"),
    )  # fmt: skip
    rows = [
        (
            prompt["prompt_id"],
            plain("decode_tps", prompt["decode_tps"]),
            _range("decode_tps", prompt, "min", "max"),
            plain("cv", prompt["decode_cv"]),
            plain("ttft_ms", prompt["ttft_ms"]),
            _range("ttft_ms", prompt, "min", "max"),
            plain("prefill_tps", prompt["prefill_tps"]),
            plain("", prompt["completion_tokens"]),
            f"{prompt['decode_count']} of {prompt['request_count']}",
            prompt["decode_reason"] or "",
        )
        for prompt in prompts
    ]
    return _grid(heads, rows) if rows else "Nothing was measured."


def _bench(tests: list[Row]) -> str:
    columns = "bench_test bench_depth repetition_count mean_tps sd_tps min_tps max_tps"
    settings = sorted({test["bench_settings"] or "" for test in tests})
    about = "The engine alone, on made-up tokens: comparable with no run through a server."
    return "\n\n".join([about, _table(tests, columns, ""), *map(_fenced, settings)])


def _output(output: Row) -> str:
    said = [plain("", output["completion_tokens"]), "tokens; ended by", output["finish_reason"] or "nothing told"]
    if output["error_kind"]:
        said += ["·", output["error_kind"]]
    if output["reasoning_characters"]:
        said += ["·", plain("", output["reasoning_characters"]), "characters of reasoning before it"]
    text = _fenced(output["output_text"]) if output["output_text"] else "No answer."
    return f"### {_text(output['prompt_id'])}\n\n{_text(' '.join(said))}\n\n{text}"


def _facts(row: Row) -> str:
    return _grid(("what", "value"), [(heading(name), _fact(name, row[name])) for name in row if row[name] is not None])


def _fact(name: str, value: Any) -> str:
    """A value with its unit, where the heading does not say it; what was set is shown as it was set."""
    if isinstance(value, list):
        return ", ".join(map(str, value))
    shown = f"{value:g}" if isinstance(value, float) and not unit_of(name) else plain(name, value)
    unit = UNITS.get(name, "")
    return shown if heading(name).endswith(f", {unit}") else f"{shown} {unit}".rstrip()


def _table(rows: list[Row], columns: str, otherwise: str) -> str:
    names = columns.split()
    grid = [[plain(name, row[name]) for name in names] for row in rows]
    return _grid([heading(name) for name in names], grid) if rows else otherwise


def _grid(heads: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    lines = [list(heads), *map(list, rows)]
    cells = [f"| {' | '.join(_text(text) for text in line)} |" for line in lines]
    return "\n".join([cells[0], "|" + "---|" * len(lines[0]), *cells[1:]])


def _range(name: str, row: Row, low: str, high: str) -> str:
    ends = [row.get(f"{name}_{end}") for end in (low, high)]
    return "" if None in ends else " – ".join(plain(name, end) for end in ends)


def _text(text: str) -> str:
    """Words in the middle of Markdown, on one line, with no character left that means something to it."""
    quoted = visible(text).replace("&", "&amp;").replace("<", "&lt;")
    # An underscore between letters or digits is none of emphasis, and names are full of them.
    escaped = re.sub(r"([\\`*\[\]{}|~$]|(?<![^\W_])_|_(?![^\W_]))", r"\\\1", quoted)
    return " ".join(escaped.split())


def _fenced(text: str) -> str:
    """A block that no text in it can end: its fence is longer than any run of backticks in it."""
    longest = max((len(run) for run in re.findall(r"`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}text\n{visible(text)}\n{fence}"
