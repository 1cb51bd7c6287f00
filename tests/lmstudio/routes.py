"""Which path is answered by what."""

from collections.abc import Callable

from tests.lmstudio import native, native_chat, openai, private
from tests.lmstudio.wire import Call, Refused, v1_error

Answer = Callable[[Call], None]

OPENAI: dict[tuple[str, str], Answer] = {
    ("GET", "/v1/models"): openai.v1_models,
    ("POST", "/v1/chat/completions"): openai.completions,
    ("POST", "/v1/completions"): openai.completions,
    ("GET", "/api/v0/models"): openai.v0_models,
    ("POST", "/api/v0/chat/completions"): openai.completions,
    ("POST", "/api/v0/completions"): openai.completions,
}
NATIVE: dict[tuple[str, str], Answer] = {
    ("GET", "/api/v1/models"): native.models,
    ("POST", "/api/v1/models/load"): native.load,
    ("POST", "/api/v1/models/unload"): native.unload,
    ("POST", "/api/v1/models/download"): native.download,
    ("POST", "/api/v1/chat"): native_chat.chat,
}
# LM Studio has these; the double does not, and says so instead of passing for a server without them.
NOT_MODELED = ("/v1/embeddings", "/api/v0/embeddings", "/v1/responses", "/v1/messages")

TOKEN_MISSING = (  # §2.9
    "An LM Studio API token is required to make requests to this server, but none was provided using the Authorization "
    "header using the 'Bearer' scheme (i.e., 'Authorization: Bearer $LM_API_TOKEN'). Learn more at: "
    "https://lmstudio.ai/docs/developer/core/authentication."
)
TOKEN_WRONG = "Malformed LM Studio API token provided."  # [inferred]: the notes have no body for it


def answer(call: Call) -> None:
    """Answer one call, or raise Refused."""
    double = call.double
    if call.path.startswith(private.PREFIX):
        return private.answer(call)
    if call.path == "/lmstudio-greeting" and call.method == "GET":  # needs no token [inferred]
        return call.json({"lmstudio": True})
    if double.token:
        given = call.headers.get("authorization")
        if given != f"Bearer {double.token}":
            text = TOKEN_WRONG if given else TOKEN_MISSING
            raise Refused(401, v1_error("invalid_request", text, "invalid_api_key"))
    if call.method == "GET" and call.path in ("/api/v0/models", "/api/v1/models") and double.take_html_500():
        # §1.1 saw it on v0; both lists ask the same.
        return call.html(500, "<!DOCTYPE html>\n<html><body><pre>Internal Server Error</pre></body></html>\n")
    if route := _route(call):
        return route(call)
    if call.path in NOT_MODELED:
        return call.json({"error": f"The double does not model {call.path}."}, status=501)
    # §3.8: 200 all the same.
    return call.json({"error": f"Unexpected endpoint or method. ({call.method} {call.path})"})


def _route(call: Call) -> Answer | None:
    if (found := OPENAI.get((call.method, call.path))) is not None:
        return found
    if call.method == "GET" and call.path.startswith("/api/v0/models/"):
        return openai.v0_model
    if call.double.version < (0, 4):
        return None
    if call.method == "GET" and call.path.startswith("/api/v1/models/download/status/"):
        return native.download_status
    return NATIVE.get((call.method, call.path))
