"""Works through the matrix: which block comes next is worked out from the results, so it resumes by itself.

A block is one load and one run file of two repeats. Blocks of one model and bit width go there and back
(A B B A), MLX first, so that drift hits both sides alike; and once more where that leaves a comparison undecided. Runs
of one thing differ by more than repeats within them do: four runs of two repeats tell more than two of four.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import httpx

from collector import measure
from collector.backends.identity import get_json
from collector.backends.lmstudio_models import listed

REPEATS = 2
LADDER_BUDGET_S = 3600.0  # of a context row that names none
DOWNLOAD_STEP_S = 5.0
DOWNLOAD_SILENT = 12  # looks without an answer, then it is given up


@dataclass(frozen=True)
class Block:
    """The next block of a cell, as the view `plan_coverage` says it."""

    model: str
    variant: str
    runtime: str
    quantization: str
    bits: int
    source: str | None
    number: int
    order_code: str
    minutes: float | None
    download_gb: float | None
    context_length: int | None = None
    ladder_budget_s: float | None = None  # of a context ladder; None is a block of speed

    @property
    def cell(self) -> str:
        """Model and variant: what the person calls it."""
        return f"{self.model} {self.variant}"

    def is_meant_by(self, only: str | None) -> bool:
        """Whether `--only TEXT` includes this cell."""
        return only is None or only.lower() in self.cell.lower()


Identify = Callable[[str], str]  # a server's key → the model's name, by models.csv


def find(client: httpx.Client, block: Block, identify: Identify) -> str | None:
    """The key to load for a block among what LM Studio has downloaded; None when it is not there."""
    wanted = {"mlx": "mlx", "llama.cpp": "gguf"}.get(block.runtime)
    for model in listed(client):
        if identify(model.key) == block.model:
            # one key may hold variants of both formats
            for build in [model, *(model.as_variant(variant) for variant in model.variants)]:
                if build.format == wanted and (build.quantization or "").lower() == block.quantization.lower():
                    return build.variant or build.key
    return None


def download(client: httpx.Client, block: Block, tell: Callable[[str], None]) -> str | None:
    """Have LM Studio fetch a block's model; None when it is there, else why not."""
    if not block.source:
        return "the plan names no source"
    asked = {"model": f"https://huggingface.co/{block.source}"}
    if block.runtime == "llama.cpp":  # an MLX repository holds one quantization
        asked["quantization"] = block.quantization
    job = get_json(client, "/api/v1/models/download", post=asked)
    silent = 0
    while job.get("status") == "downloading" and silent < DOWNLOAD_SILENT:
        done, total = job.get("downloaded_bytes") or 0, job.get("total_size_bytes") or 0
        tell(f"{block.cell}: {done / 1e9:.1f} of {total / 1e9:.1f} GB")
        measure.sleep(DOWNLOAD_STEP_S)
        told = get_json(client, f"/api/v1/models/download/status/{job.get('job_id')}")
        silent = 0 if told else silent + 1
        job |= told
    if job.get("status") in ("completed", "already_downloaded"):
        return None
    return f"LM Studio's download ended as {job.get('status') or 'an error'}"


def blocks(rows: list[dict[str, Any]], only: str | None = None, retry_failed: bool = False) -> list[Block]:
    """The next block of each cell that has one, in the plan's order; cells that failed come last, where asked for."""
    due = sorted((row for row in rows if row["next_rank"] is not None), key=lambda row: row["next_rank"])
    if retry_failed:
        due += [row for row in rows if row["state"] == "failed" and row["position_in_order"] is not None]
    found = [
        Block(
            model=row["model"],
            variant=row["variant"],
            runtime=row["runtime"],
            quantization=row["quantization"],
            bits=row["bits"],
            source=row["source"],
            number=row["position_in_order"],
            order_code=row["order_code"],
            minutes=row["estimated_minutes"],
            download_gb=row["download_gb"],
            context_length=row["context_length"],
            ladder_budget_s=row["budget_s"] or LADDER_BUDGET_S if row["kind"] == "context" else None,
        )
        for row in due
    ]
    return [block for block in found if block.is_meant_by(only)]
