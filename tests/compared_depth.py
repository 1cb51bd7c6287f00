"""Ratios by depth, through the views and by SciPy."""

import math
from collections import Counter
from collections.abc import Sequence
from random import Random

import numpy as np
from scipy import stats

from site_src.warehouse import Warehouse
from tests import by_scipy
from tests.by_scipy import Ratio, by
from tests.synthetic import LLAMA, MLX, Row, fill, stand_in


def ladders(seed: int, count: int) -> list[Row]:
    """So many machines of one to three ladders a side; a row's prompt is its rung, its repeat the rung's prompt."""
    chance, climbed = Random(seed), []
    for number in range(count):
        sides = {(runtime, chance.choice([1, 1, 2, 3])) for runtime in (MLX, LLAMA)}
        for runtime, runs in sorted(sides):
            for run in range(runs):
                off = chance.gauss(0, 0.02)
                for rung in (4096, 32768, 65536)[: chance.choice([1, 3])]:
                    for prompt in (1, 2):
                        if chance.random() < 0.9:
                            tps = math.exp(3 + off + 0.05 * (runtime == MLX) + chance.gauss(0, 0.01))
                            climbed.append(Row(f"set {number}", runtime, run, str(rung), prompt, tps, 9000 / tps))
    return climbed


def climb(views: Warehouse, climbed: Sequence[Row]) -> None:
    """Let views have these ladders and no others."""
    fill(views, climbed, suite="context")
    stand_in(
        views,
        "rung_speed",
        {
            "run_id": [row.run_id for row in climbed],
            "rung": [int(row.prompt) for row in climbed],
            "set_number": [row.repeat for row in climbed],
            "decode_tps": [row.decode_tps for row in climbed],
            "ttft_ms": [row.ttft_ms for row in climbed],
        },
    )


def ratios_by_depth(views: Warehouse, climbed: Sequence[Row]) -> Counter[str]:
    """Paired by the rung's prompts; t s sqrt(1/a + 1/b), s^2 pooled over the ladders of a machine at the same rung."""
    found = {(row["machine"], row["rung"]): row for row in views.rows("from framework_delta_by_depth")}
    seen: Counter[str] = Counter()
    for (machine,), of_machine in by(climbed, "machine").items():
        for figure, column in by_scipy.FIGURES.items():
            centers = {
                key: float(np.mean([math.log(getattr(row, column)) for row in same]))
                for key, same in by(of_machine, "runtime", "prompt", "run").items()
            }
            groups: dict[tuple[str, str], list[float]] = {}
            for (runtime, rung, _), center in centers.items():
                groups.setdefault((runtime, rung), []).append(center)
            several = {key: values for key, values in groups.items() if len(values) > 1}
            squares = sum(float(np.var(values)) * len(values) for values in several.values())
            degrees: dict[str, int] = {}
            for (runtime, _), values in several.items():
                degrees[runtime] = max(degrees.get(runtime, 0), len(values) - 1)
            for rung in {rung for _, rung in groups}:
                cells = {
                    (runtime, prompt): float(np.mean([math.log(getattr(row, column)) for row in same]))
                    for (runtime, at, prompt), same in by(of_machine, "runtime", "prompt", "repeat").items()
                    if at == rung
                }
                ratios = [cells[MLX, p] - cells[LLAMA, p] for p in (1, 2) if {(MLX, p), (LLAMA, p)} <= cells.keys()]
                row = found.get((machine, int(rung)))
                if not ratios:
                    assert row is None
                    continue
                a_runs, b_runs = len(groups[MLX, rung]), len(groups[LLAMA, rung])
                margin = None
                if several:
                    variance = squares / sum(len(values) - 1 for values in several.values())
                    margin = by_scipy.t_of(sum(degrees.values())) * math.sqrt(variance * (1 / a_runs + 1 / b_runs))
                elif len(ratios) > 1:
                    margin = float(stats.sem(ratios)) * by_scipy.t_of(1)
                assert row is not None
                shown = [row[f"{column}_ratio{end}"] for end in ("", "_low", "_high")]
                center = float(np.mean(ratios))
                assert by_scipy.same(shown, by_scipy.ends(center, margin)), (machine, rung, figure)
                whole = Ratio(center, margin, None, a_runs, b_runs, 0, 0, bool(several))
                if figure == "decode":
                    assert row["verdict"] == by_scipy.verdict(whole, "MLX faster", "llama.cpp faster")
                else:
                    assert row["ttft_verdict"] == by_scipy.wait_verdict(whole, "MLX later", "llama.cpp later")
                seen["pooled" if several else "not pooled"] += 1
    return seen
