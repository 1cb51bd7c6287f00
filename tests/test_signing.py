"""A file of results is signed over each of its bytes, by a key that is made once and kept."""

import base64
import os
import stat
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from collector import signing, store
from collector.errors import KeyUnusable
from collector.schema import Results
from site_src.run_file import Untrusted, origin, read_run
from site_src.warehouse import Warehouse
from tests import keys
from tests.conftest import RUN, STARTED, of_its_own, request
from tests.test_review import stored as a_run

OWN = signing.public(keys.key("owner"))


def stored(results: Results, number: int = 0, by: str = "owner") -> Path:
    with keys.signing_as(by):
        return a_run(results, *of_its_own([request()], number), run_id=f"{number:012x}")


def test_a_stored_file_names_the_key_that_signed_it(results: Results) -> None:
    signed_by, _ = origin(read_run(stored(results)))
    assert signed_by == OWN
    assert signing.short(OWN) == keys.short("owner")


def test_each_byte_that_is_changed_is_seen(results: Results) -> None:
    path = stored(results)
    data = path.read_bytes()
    metadata = pq.read_metadata(path).metadata
    for place in range(0, len(data), 97):
        changed = bytearray(data)
        changed[place] ^= 1
        with pytest.raises(signing.Broken):
            signing.signer(bytes(changed), metadata)
    assert signing.signer(data, metadata) == OWN


def garbled(metadata: dict[bytes, bytes], other: dict[bytes, bytes]) -> list[dict[bytes, bytes]]:
    signed, by = signing.SIGNATURE.encode(), signing.SIGNED_BY.encode()
    return [
        {**metadata, by: other[by]},
        {**metadata, signed: other[signed]},
        {**metadata, signed: signing.BLANK},
        {**metadata, signed: metadata[signed][:-4]},
        {**metadata, signed: b"!" * 88},
        {**metadata, by: b"no key"},
        {**metadata, by: base64.b64encode(b"\0" * 31)},
        {name: value for name, value in metadata.items() if name != signed},
        {name: value for name, value in metadata.items() if name != by},
    ]


def test_what_does_not_belong_together_is_no_signature(results: Results) -> None:
    path, other = stored(results, 1), stored(results, 2, by="ada")
    metadata = dict(pq.read_metadata(path).metadata)
    for wrong in garbled(metadata, dict(pq.read_metadata(other).metadata)):
        with pytest.raises(signing.Broken):
            signing.signer(path.read_bytes(), wrong)


def test_a_file_changed_after_it_was_signed_is_not_read_but_named(results: Results) -> None:
    path = stored(results)
    data = path.read_bytes()
    path.write_bytes(
        data.replace(b"schema_version", b"schema_versiom", 1)
    )  # no page holds it: only the signature tells
    with pytest.raises(Untrusted, match=r"changed after it was signed|no column|not a run file"):
        read_run(path)
    assert [row["file"] for row in Warehouse(results).rows("from damaged_files")] == [path.name]


def test_a_key_is_made_once_and_is_its_users_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LLM_CONFIG", str(tmp_path / "config"))
    first = signing.public(signing.own())
    assert signing.public(signing.own()) == first
    path = tmp_path / "config" / "key.pem"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [file.name for file in path.parent.iterdir()] == ["key.pem"]
    assert signing.own_name() == signing.own_name() == first
    (path.parent / "key.pub").write_text("no key")
    assert signing.own_name() == first
    path.unlink()
    assert signing.own_name() == signing.public(signing.own()) != first


@pytest.mark.parametrize("content", [b"", b"no key", b"-----BEGIN PRIVATE KEY-----\n-----END PRIVATE KEY-----\n"])
def test_an_unusable_key_costs_no_run(
    content: bytes, results: Results, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LLM_CONFIG", str(tmp_path))
    (tmp_path / "key.pem").write_bytes(content)
    with pytest.raises(KeyUnusable, match=r"key\.pem"):
        signing.own()
    path = store.write(results, {**RUN, "run_id": "a" * 12, "run_started_at": STARTED}, [dict(request(), op_index=0)])
    assert origin(read_run(path))[0] is None


def test_keys_of_files_on_a_disk_without_links(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LLM_CONFIG", str(tmp_path / "config"))

    def refuse(*_: object, **__: object) -> None:
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr(os, "link", refuse)
    assert signing.public(signing.own()) == signing.public(signing.own())
