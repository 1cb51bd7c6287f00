"""Keys that sign in tests: the same for a name at every call, so that files are the same bytes."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest import mock

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from collector import signing


def key(name: str) -> Ed25519PrivateKey:
    """A key pair that hangs on nothing but the name."""
    return Ed25519PrivateKey.from_private_bytes(hashlib.sha256(name.encode()).digest())


def put(folder: Path, name: str) -> None:
    """Make it the key of who has this configuration folder."""
    pem = key(name).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "key.pem").write_bytes(pem)


def short(name: str) -> str:
    """What pages call the key of that name."""
    return signing.short(signing.public(key(name)))


@contextmanager
def signing_as(name: str) -> Iterator[str]:
    """Sign with the key of that name meanwhile; its short name."""
    with mock.patch.object(signing, "own", lambda: key(name)):
        yield short(name)
