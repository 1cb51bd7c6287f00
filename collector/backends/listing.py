"""The model list of a server, or why there is none: each reason for itself, with what a person can do about it."""

import re
from typing import Any, TypeGuard

import httpx

from collector.backends.identity import NO_JSON
from collector.backends.words import words
from collector.errors import ServerLoading, ServerNotFound

PATIENCE_S = 60  # for a list that is made from what lies on a disk
START = (
    "Start the server (LM Studio: `lms server start`), pass its address with --url, "
    "or use --embedded, which needs none."
)
# What getaddrinfo says, by system.
UNKNOWN_NAME = ("not known", "nodename nor servname", "name resolution", "No address associated", "getaddrinfo")
CHECK = "Pass the address of a server with OpenAI's /v1 with --url."


def listed(client: httpx.Client) -> list[dict[str, Any]]:
    """The models the server lists. Raises ServerNotFound, ServerLoading; NoList where something else answers."""
    address = str(client.base_url).rstrip("/")
    try:
        response = client.get("/v1/models", timeout=PATIENCE_S)
    except httpx.HTTPError as error:
        raise _unreachable(address, error) from None
    said = words(response.text)
    if response.status_code in (401, 403):
        raise token_wanted(client, response.status_code, response.text)
    if response.is_redirect:
        raise ServerNotFound(
            f"The server at {address} redirects to another address, which `collect` does not follow.",
            "Pass the address that answers itself with --url.",
        )
    if response.status_code == 503 or (response.status_code >= 500 and "loading" in response.text.lower()):
        raise ServerLoading(
            f"The server at {address} is still loading its model, or not ready for another reason ({said}).",
            "Wait until it is ready, then run `collect` again.",
        )
    try:
        return _entries(response.json())
    except (*NO_JSON, KeyError):
        status = f"status {response.status_code}{': ' if said else ''}{said}"
        raise NoList(
            f"What answers at {address} has no model list at /v1/models ({status}).",
            f"{START} Or name the model with --model.",
        ) from None


class NoList(ServerNotFound):
    """Something answers, but with no list of models."""


def token_wanted(client: httpx.Client, status: int, said: str) -> ServerNotFound:
    """What to say where a server turns a request away for want of a token, with what it said itself."""
    told = f"status {status}{': ' if said.strip() else ''}{words(said)}"
    return ServerNotFound(
        f"The server at {str(client.base_url).rstrip('/')} wants an API token, or another one ({told}).",
        "Put it into the environment as LM_API_TOKEN; it is sent, never stored.",
    )


def _unreachable(address: str, error: httpx.HTTPError) -> ServerNotFound:
    """Which of the reasons a client has no answer for."""
    said, kind = str(error), type(error).__name__
    if "CERTIFICATE_VERIFY_FAILED" in said:
        why = re.sub(r".*certificate verify failed: ", "", said).partition(" (_ssl")[0]
        return ServerNotFound(
            f"The certificate of {address} is not trusted ({why}).",
            _remedy_of_certificate(why),
        )
    if "WRONG_VERSION_NUMBER" in said or "record layer" in said.lower():
        return ServerNotFound(f"What answers at {address} speaks no https ({words(said)}).", f"Try http://. {CHECK}")
    if "SSL" in said or "TLS" in said:
        return ServerNotFound(
            f"What answers at {address} and this client find no common TLS ({words(said)}).",
            f"See what it asks of its clients, or try http://. {CHECK}",
        )
    if isinstance(error, httpx.ConnectError) and any(word in said for word in UNKNOWN_NAME):
        return ServerNotFound(
            f"Nobody knows the name in {address} ({words(said)}).", "Correct it, or pass the number with --url."
        )
    if "compressed" in said:
        return ServerNotFound(
            f"The server at {address}, or a proxy before it, compressed its answer, though asked not to.",
            "Turn compression off there, or pass the address of the server itself with --url.",
        )
    if isinstance(error, httpx.RemoteProtocolError | httpx.ReadError):
        tls = " Or try https://." if address.startswith("http:") else ""
        return ServerNotFound(
            f"What listens at {address} gave no answer in HTTP ({kind}: {words(said)}).", f"{CHECK}{tls}"
        )
    if isinstance(error, httpx.ReadTimeout):
        return ServerNotFound(
            f"The server at {address} took the question for its models, and did not answer in {PATIENCE_S} s ({kind}).",
            f"See what keeps it busy, or restart it. {CHECK}",
        )
    return ServerNotFound(f"Nothing answered at {address} ({kind}).", START)


def _remedy_of_certificate(why: str) -> str:
    if "mismatch" in why or "not valid for" in why:
        return "Pass with --url a name that it is made out to."
    if "expired" in why or "not yet valid" in why:
        return "Renew it, or see whether this machine's clock is right."
    return "Trust it with --ca FILE, or name FILE in SSL_CERT_FILE: the certificate itself, or its issuer's, as PEM."


def _entries(body: Any) -> list[dict[str, Any]]:
    """The models in a list, whatever stands beside them. Raises KeyError where there is no list."""
    models = body.get("data", body.get("models")) if isinstance(body, dict) else body
    entries = [one for one in (models if isinstance(models, list) else [models]) if _is_model(one)]
    if not entries and not (isinstance(body, dict) and {"data", "models"} & body.keys() and not models):
        raise KeyError("data")
    return entries


def _is_model(entry: object) -> TypeGuard[dict[str, Any]]:
    return isinstance(entry, dict) and isinstance(entry.get("id"), str) and entry["id"] != ""


def is_loaded(entry: dict[str, Any]) -> bool:
    """Whether a router says of a model that it is loaded: llama-server, llama-swap and others in words of their own."""
    status = entry.get("status", entry.get("state"))
    word = status.get("value") if isinstance(status, dict) else status
    return entry.get("loaded") is True or (isinstance(word, str) and word.lower() in ("loaded", "ready", "running"))
