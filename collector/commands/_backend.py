"""From the command line's words to a backend, and to the checks before it is used."""

import functools
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from collector.asking import LOADING_S, LOADING_TRIES
from collector.commands import _ask, say
from collector.errors import ModelUnclear, ServerLoading
from collector.preflight import PLAN_CONTEXT, Finding, Need

if TYPE_CHECKING:
    import httpx

    from collector.backends import Backend, Facts
    from collector.backends.lmstudio import LMStudio
    from collector.schema import Results

EMBEDDED_CONTEXT = 8192


def embedded(client: "httpx.Client", model: str | None, context: int | None) -> "Backend":
    """The engine from PyPI with its small model, or with a GGUF file. Raises EngineFailed."""
    from collector.backends.embedded import Embedded
    from collector.embedded_model import small_model

    return Embedded(client, Path(model) if model else small_model(), context or EMBEDDED_CONTEXT)


def loaded_already(client: "httpx.Client", model: str | None, unload: bool = False) -> "Backend":
    """LM Studio or any other server with a model in it."""
    from collector.backends.lmstudio import LMStudio, is_lmstudio
    from collector.backends.openai_chat import OpenAIChat

    if is_lmstudio(client):
        return LMStudio(client, model, unload=unload)
    backend = OpenAIChat(client, model)
    until_ready(backend.models)
    return backend


def until_ready(ask: Callable[[], object]) -> None:
    """Ask until the server is no longer loading its model, and say so. Raises ServerLoading after ten minutes."""
    from collector import measure

    for attempt in range(LOADING_TRIES):
        try:
            ask()
            return
        except ServerLoading as loading:
            if attempt == 0:
                say(f"{loading.happened} Waiting for it, ten minutes at most …")
            measure.sleep(LOADING_S)
    ask()


def loading(client: "httpx.Client", key: str, context: int | None, unload: bool, yes: bool) -> "LMStudio":
    """LM Studio at rest, with `key` to be loaded; what was loaded is unloaded, if the person says so."""
    from collector.backends.lmstudio import LMStudio

    require_lmstudio(client)
    backend = LMStudio(client, load=key, context=context or PLAN_CONTEXT, unload=unload)
    allow_unloading(backend, yes)
    backend.prepare()  # before the checks: what goes is no memory in use
    return backend


def reloading(
    client: "httpx.Client", model: str | None, unload: bool, yes: bool = False
) -> "tuple[LMStudio, int | None]":
    """LM Studio at rest, with what was loaded to be loaded again as it was; and its context."""
    from collector.backends.lmstudio import LMStudio

    require_lmstudio(client)
    found = LMStudio(client, model)
    key, context = found.as_loaded()
    backend = LMStudio(client, load=key, context=context, unload=unload)
    backend.was_loaded = True
    allow_unloading(backend, yes, besides=found.model)
    backend.prepare()
    return backend, context


def require_lmstudio(client: "httpx.Client") -> None:
    """Raises ServerNotFound when nothing answers, ModelUnclear when it is not LM Studio."""
    from collector.backends.lmstudio import is_lmstudio
    from collector.backends.openai_chat import OpenAIChat

    if not is_lmstudio(client):
        OpenAIChat(client).models()
        raise ModelUnclear(
            "Only LM Studio loads models on request, and what answers is another server.",
            "Load the model there yourself, then run `collect` without --load and --reload.",
        )


def allow_unloading(backend: "LMStudio", yes: bool, besides: str | None = None) -> None:
    """Ask before unloading what somebody loaded, `besides` apart. Raises ModelUnclear where nobody can be asked."""
    names = ", ".join(instance.id for _, instance in backend.loaded() if instance.id != besides)
    if not names or yes:
        return
    from sys import stdin

    if not stdin.isatty():
        raise ModelUnclear(f"LM Studio has {names} loaded.", "Unload it, or pass --yes to have it unloaded.")
    if not click.confirm(f"LM Studio has {names} loaded. Unload it?", err=True):
        raise ModelUnclear(f"{names} stays loaded.", "Nothing was measured.")


def check(results: "Results", backend: "Backend", planned: "Facts", context: int | None) -> list[Finding]:
    """Every check that needs no loaded model."""
    from collector import machine, preflight

    size, cache = planned.get("file_bytes"), cache_bytes(results, planned.get("model_key"))
    need = Need(size, context or 0, cache) if backend.loads else None
    return preflight.before(results.root, machine.describe(), need, backend.others())


def cache_bytes(results: "Results", key: str | None) -> int | None:
    """Bytes of KV cache for a token, from models.csv; None for a model it does not know."""
    size = _known(results, key or "")["kv_bytes_per_token"]
    return int(size) if size is not None else None


def model_of(results: "Results", key: str) -> str:
    """The model that a server's key means, by models.csv; an unknown one keeps its key."""
    return str(_known(results, key)["model"] or key)


def suites_of(results: "Results", key: str) -> str:
    """The suites that models.csv names for a model, as `--suite` takes them; `standard` for an unknown one."""
    return "+".join(_known(results, key)["suites"] or ["standard"])


@functools.cache
def _known(results: "Results", key: str) -> dict[str, Any]:
    asked = (
        "select min(model) as model, any_value(suites) as suites, any_value(kv_bytes_per_token) as kv_bytes_per_token "
        "from stg_models where model_core($key) glob alias"
    )
    return _ask.rows(results, asked, key=key)[0]


def show_findings(findings: list[Finding]) -> None:
    """Those that did not pass, a line each."""
    for finding in findings:
        if finding["verdict"] in ("warn", "fail"):
            say(f"{finding['verdict']}: {finding['name'].replace('_', ' ')}: {finding['detail']}")
