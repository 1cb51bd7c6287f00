"""Is the machine fit to measure? Each finding is stored with the run; one that fails stops it, unless forced."""

from typing import TypedDict

import psutil


class Finding(TypedDict):
    """One check: `verdict` is pass, warn or fail, `detail` says what was seen and what to do."""

    name: str
    verdict: str
    detail: str


def check() -> list[Finding]:
    """All findings, in a fixed order."""
    return [_site_server(), _memory()]


def _site_server() -> Finding:
    for process in psutil.process_iter():
        try:
            command = process.cmdline()
        except (psutil.AccessDenied, psutil.NoSuchProcess, psutil.ZombieProcess):
            continue
        if "serve" in command and any(part.endswith("mkdocs") for part in command[:3]):
            return {
                "name": "site_server",
                "verdict": "warn",
                "detail": "mkdocs serve is running: it waits with building, but polls files; stop it for final figures",
            }
    return {"name": "site_server", "verdict": "pass", "detail": "no mkdocs serve beside the measurement"}


def _memory() -> Finding:
    memory = psutil.virtual_memory()
    free = memory.available / memory.total
    verdict = "pass" if free >= 0.1 else "warn"
    return {"name": "free_memory", "verdict": verdict, "detail": f"{free:.0%} of memory is available"}
