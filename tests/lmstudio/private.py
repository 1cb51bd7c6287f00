"""`/__double__/…`: how the `lms` stub reaches the double. LM Studio has nothing of the kind: lms uses a websocket."""

import os

from tests.lmstudio.models import RUNTIMES, Json, ls_entry
from tests.lmstudio.state import LoadFailed, UnknownModel
from tests.lmstudio.wire import Call, Refused

PREFIX = "/__double__/"


def answer(call: Call) -> None:
    """Answer the stub; an error's text is what lms prints."""
    double = call.double
    name = call.path.removeprefix(PREFIX)
    body = call.object()
    double.lms_calls.append((name, body))
    try:
        match name:
            case "ls":
                call.json([ls_entry(model) for model in double.state.models if model.downloaded])
            case "ps":
                call.json([instance.ps_entry() for instance in double.state.instances])
            case "load":
                call.json(_load(call, body))
            case "unload":
                everything = [instance.id for instance in double.state.instances]
                names = everything if body.get("all") else [body["identifier"]]
                for identifier in names:
                    double.state.unload(identifier)
                call.json({"unloaded": names})
            case "status":
                call.json({"port": double.port, "pid": os.getpid(), "version": double.version_text})
            case "runtimes":
                call.json(
                    [{"name": name, "version": version, "format": kind} for kind, (name, version) in RUNTIMES.items()]
                )
            case _:
                raise Refused(404, {"error": f"The double has no {call.path}."})
    except LoadFailed as failure:
        raise Refused(400, {"error": str(failure)}) from None
    except UnknownModel as unknown:
        raise Refused(400, {"error": f'Cannot find a model with the identifier "{unknown}".'}) from None


def _load(call: Call, body: Json) -> Json:
    double = call.double
    wanted = double.lms_takes or _match(call, body["key"], body.get("exact", False))
    ttl = body.get("ttl")
    instance = double.load(
        wanted,
        by="lms",
        identifier=body.get("identifier"),
        context_length=body.get("context_length"),
        parallel=body.get("parallel"),
        ttl_ms=None if ttl is None else ttl * 1000,
    )
    return {"identifier": instance.id, "size_bytes": instance.model.size_bytes}


def _match(call: Call, wanted: str, exact: bool) -> str:
    """§5.1: fuzzy, and with -y the first match; an equal key comes first, as in the library that lms uses."""
    names = [model.key for model in call.double.state.models if model.downloaded]
    names += [name for model in call.double.state.models if model.downloaded for name in model.full_variants()]
    if wanted in names:
        return wanted
    for fits in (str.startswith, str.__contains__, _holds_in_order):
        for name in names:
            if not exact and fits(name.lower(), wanted.lower()):
                return name
    raise Refused(400, {"error": f'Model not found. No model found that matches path "{wanted}".'})


def _holds_in_order(name: str, wanted: str) -> bool:
    rest = iter(name)
    return all(letter in rest for letter in wanted)
