"""Takedowns with a fingerprint and those from before it can be read by either side."""

from __future__ import annotations

import io

import fastavro
import pytest

import schemas


@pytest.mark.parametrize("name", ["takedown", "review", "sightings"])
def test_every_released_version_reads_every_other(name: str) -> None:
    """FULL_TRANSITIVE, by the Avro specification's own checker."""
    versions = schemas.released(name)
    assert versions[-1] == schemas.load(name)
    for reader in versions:
        for writer in versions:
            assert schemas.compatibility_errors(reader, writer) == []


def test_a_takedown_from_before_has_no_fingerprint() -> None:
    first, *_ = schemas.released("takedown")
    record = {
        "takedown_id": "t",
        "action": "REMOVED",
        "listing_id": "l",
        "seller_id": "s",
        "policy_version": "p",
        "registry_version": "1",
        "listing_occurred_at": 0,
        "received_at": 0,
        "decided_at": 0,
        "statement": {"ground": "g", "facts": "f", "redress": "r"},
    }
    written = io.BytesIO()
    plain = schemas.without_docs(first)
    fastavro.schemaless_writer(written, fastavro.parse_schema(plain), record)
    written.seek(0)
    ours = fastavro.parse_schema(schemas.without_docs(schemas.load("takedown")))
    read = fastavro.schemaless_reader(written, fastavro.parse_schema(plain), ours)
    assert isinstance(read, dict)
    assert read["fingerprint"] is None
