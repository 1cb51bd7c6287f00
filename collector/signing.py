"""Who made a file of results: a signature over each of its bytes, in the file's own metadata.

The key pair (Ed25519, RFC 8032) is made at the first use and stays in the user's configuration folder. A file names its
key as `signed_by` and holds the signature as `signature`; what is signed are the file's bytes with zeros for the
signature's own characters.
"""

import base64
import binascii
import contextlib
import hashlib
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import click

from collector import whole
from collector.errors import KeyUnusable

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

SIGNED_BY, SIGNATURE = "signed_by", "signature"
BLANK = b"0" * 88  # as long as a signature in base64
PURPOSE = b"llm-mac-512 file of results\0"  # a signature of anything else is none
SHORT = 8  # hexadecimal digits
PUBLIC = re.compile(r"[A-Za-z0-9+/]{43}=")


class Broken(Exception):
    """A file that was changed after it was signed, or whose signature is none."""


def folder() -> Path:
    """Where the user's key lies: LLM_CONFIG, else the system's place for an application's settings."""
    return Path(os.environ.get("LLM_CONFIG") or click.get_app_dir("llm-mac-512"))


def own() -> "Ed25519PrivateKey":
    """The user's key, made where there is none yet. Raises KeyUnusable."""
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    path = folder() / "key.pem"
    try:
        if not path.exists():
            made = Ed25519PrivateKey.generate().private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
            _put(path, made)
        key = serialization.load_pem_private_key(path.read_bytes(), None)
    except (OSError, ValueError, TypeError) as error:
        said = error.strerror if isinstance(error, OSError) and error.strerror else "it holds no key"
        raise KeyUnusable(
            f"The key in {path.parent} cannot be used: {said}.",
            "Mend the folder, or move the file key.pem away: a new key is made, and nothing that was signed is lost.",
        ) from None
    if not isinstance(key, Ed25519PrivateKey):
        raise KeyUnusable(f"The key in {path.parent} is not of kind Ed25519.", "Move the file key.pem away.")
    return key


def own_name() -> str:
    """The public half of the user's key, from a note beside it: to load the key itself takes 9 MB. Raises KeyUnusable.

    It says whom messages are about; what is signed or listed is by the key.
    """
    note = folder() / "key.pub"
    try:
        known = note.read_text(encoding="ascii", errors="replace").strip()
    except OSError:
        known = ""
    if not PUBLIC.fullmatch(known) or not (folder() / "key.pem").exists():
        known = public(own())
        with contextlib.suppress(OSError):
            note.unlink(missing_ok=True)
            _put(note, f"{known}\n".encode())
    return known


def public(key: "Ed25519PrivateKey") -> str:
    """Its public half: 32 bytes in base64."""
    return base64.b64encode(key.public_key().public_bytes_raw()).decode()


def short(public_key: str) -> str:
    """The name that pages call a key by: the first hexadecimal digits of its SHA-256."""
    return hashlib.sha256(base64.b64decode(public_key)).hexdigest()[:SHORT]


def blank(key: "Ed25519PrivateKey") -> dict[str, str]:
    """What a file's metadata holds before it is signed."""
    return {SIGNED_BY: public(key), SIGNATURE: BLANK.decode()}


def sign(file: BinaryIO, key: "Ed25519PrivateKey") -> None:
    """Put the signature into a file, open for reading and writing, that was written with `blank`."""
    file.seek(0)
    data = file.read()
    place = data.rindex(BLANK)
    file.seek(place)
    file.write(base64.b64encode(key.sign(_said(data, place))))
    file.flush()


def signer(data: bytes, metadata: Mapping[bytes, bytes]) -> str | None:
    """The public key that signed these bytes of a file with this metadata; None where nobody did. Raises Broken."""
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    named, signature = metadata.get(SIGNED_BY.encode()), metadata.get(SIGNATURE.encode())
    if named is None and signature is None:
        return None
    try:
        if named is None or signature is None or len(signature) != len(BLANK):
            raise ValueError
        key = Ed25519PublicKey.from_public_bytes(base64.b64decode(named, validate=True))
        key.verify(base64.b64decode(signature, validate=True), _said(data, data.rindex(signature)))
    except (ValueError, binascii.Error, InvalidSignature):
        raise Broken("its signature does not hold: it was changed after it was signed") from None
    return named.decode()


def _said(data: bytes, place: int) -> bytes:
    """What is signed of a file whose signature begins at `place`."""
    view = memoryview(data)
    digest = hashlib.sha256(view[:place])
    digest.update(BLANK)
    digest.update(view[place + len(BLANK) :])
    return PURPOSE + digest.digest()


def _put(path: Path, content: bytes) -> None:
    """Write a file that only its user may read, whole or not at all; one that is there stays."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with contextlib.suppress(FileExistsError):  # another process was quicker: its key is the one
        whole.write(path, content, 0o600, whole.place)
