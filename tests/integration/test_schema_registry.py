"""The schemas in a real registry that guards them, and producers of other versions through it."""

from __future__ import annotations

import copy
import json
import urllib.request
import uuid
from typing import Any

import pytest
from confluent_kafka.schema_registry import Schema, SchemaRegistryClient
from confluent_kafka.schema_registry.error import SchemaRegistryError

import schemas
from agents.monitoring.screening import listing_decoder
from deploy.services import SchemaRegistryServer
from streams import topics
from streams.codec import Encoder
from streams.schema_registry import IncompatibleSchemaError, SchemaRegistry
from streams.settings import Settings
from tests.harness import json_lines, run_command
from tests.unit.streams.shelf import framed, written


@pytest.fixture(scope="module")
def client(schema_registry: SchemaRegistryServer) -> SchemaRegistryClient:
    """A client of the registry, whose subjects begin as each test says."""
    return SchemaRegistryClient({"url": schema_registry.url})


@pytest.fixture
def subject(schema_registry: SchemaRegistryServer) -> str:
    """A subject of the test's own, for values, under FULL_TRANSITIVE."""
    name = f"s{uuid.uuid4().hex[:10]}-value"
    request = urllib.request.Request(  # noqa: S310 - the registry on loopback
        f"{schema_registry.url}/config/{name}",
        method="PUT",
        data=json.dumps({"compatibility": "FULL_TRANSITIVE"}).encode(),
        headers={"Content-Type": "application/vnd.schemaregistry.v1+json"},
    )
    with urllib.request.urlopen(request, timeout=10) as response:  # noqa: S310
        assert response.status == 200
    return name


def _schema(schema: dict[str, Any]) -> Schema:
    return Schema(json.dumps(schema), "AVRO")


@pytest.mark.parametrize("name", schemas.NAMES)
def test_all_versions_register_in_order(
    client: SchemaRegistryClient, subject: str, name: str
) -> None:
    ids = [client.register_schema(subject, _schema(s)) for s in schemas.released(name)]
    current = client.register_schema(subject, _schema(schemas.load(name)))
    assert current == ids[-1], "the current schema is the newest released one"


def test_a_harmful_change_is_refused(
    client: SchemaRegistryClient, subject: str, schema_registry: SchemaRegistryServer
) -> None:
    client.register_schema(subject, _schema(schemas.load("listing")))
    for change in ("type", "required", "removed"):
        harmful = copy.deepcopy(schemas.load("listing"))
        if change == "type":
            harmful["fields"][6]["type"] = "long"
        elif change == "required":
            harmful["fields"].append({"name": "shop", "type": "string"})
        else:
            del harmful["fields"][6]
        with pytest.raises(SchemaRegistryError) as error:
            client.register_schema(subject, _schema(harmful))
        assert error.value.http_status_code == 409, change
    # Ours says so in words: here the subject is another record's.
    registry = SchemaRegistry.connect(Settings(schema_registry_url=schema_registry.url))
    with pytest.raises(IncompatibleSchemaError, match="refuses schema 'seller'"):
        registry.register(subject.removesuffix("-value"), "seller")


def test_topics_create_registers_every_value_schema(
    settings: Settings, client: SchemaRegistryClient
) -> None:
    done = run_command(settings, "topics", "create", "--json")
    assert done.returncode == 0, done.stderr
    rows = {row["topic"]: row for row in json_lines(done.stdout)}
    assert set(rows) == {settings.topic(topic.name) for topic in topics.TOPICS}
    subjects = set(client.get_subjects())
    for topic in topics.TOPICS:
        name = settings.topic(topic.name)
        assert f"{name}-value" in subjects
        latest = client.get_latest_version(f"{name}-value")
        assert latest.schema_id == rows[name]["schema_id"]
        assert latest.schema is not None
        assert json.loads(latest.schema.schema_str or "") == schemas.load(topic.schema)
        assert rows[name]["state"] == "created"
    again = json_lines(run_command(settings, "topics", "create", "--json").stdout)
    assert {row["state"] for row in again} == {"exists"}
    assert {row["topic"]: row["schema_id"] for row in again} == {
        name: row["schema_id"] for name, row in rows.items()
    }


RECORD = {
    "event_id": "e",
    "listing_id": "l",
    "seller_id": "s",
    "occurred_at": 1_764_000_000_000,
    "title": "Zorvex",
    "brand": "Zorvex",
}


def _added(fields: list[dict[str, Any]]) -> None:
    fields.insert(3, {"name": "shop", "type": "string", "default": "main"})


def _missing(fields: list[dict[str, Any]]) -> None:
    fields.remove(next(field for field in fields if field["name"] == "brand"))


def _turned(fields: list[dict[str, Any]]) -> None:
    fields.reverse()


@pytest.mark.parametrize("change", [_added, _missing, _turned])
def test_older_and_newer_producers_are_decoded(
    client: SchemaRegistryClient, subject: str, schema_registry: SchemaRegistryServer, change: Any
) -> None:
    """The registry, too, takes each for compatible with ours."""
    client.register_schema(subject, _schema(schemas.load("listing")))
    other = copy.deepcopy(schemas.load("listing"))
    change(other["fields"])
    names = {field["name"] for field in other["fields"]}
    record = {k: v for k, v in RECORD.items() if k in names} | {"shop": "outlet"}
    schema_id = client.register_schema(subject, _schema(other))
    value = framed(schema_id, written(other, record))
    registry = SchemaRegistry.connect(Settings(schema_registry_url=schema_registry.url))
    registry.ping()
    decoder = listing_decoder(registry)
    assert decoder.fetch(decoder.unknown([value])) is None
    read = decoder.decode(value)
    assert read == {
        field["name"]: RECORD.get(field["name"], field.get("default"))
        for field in schemas.load("listing")["fields"]
    } | {"brand": "Zorvex" if "brand" in names else ""}
    kind, occurred_at, seller, texts, _ = decoder.project(value)
    assert (kind, occurred_at) == ("UPDATED", RECORD["occurred_at"])
    assert seller == str(RECORD["seller_id"]).encode()
    assert set(texts) == {b"Zorvex"}


def test_our_own_values_carry_the_id_the_registry_gave(
    client: SchemaRegistryClient, settings: Settings
) -> None:
    registry = SchemaRegistry.connect(settings)
    topic = settings.topic("marketplace.listings")
    value = Encoder(registry, topic, "listing").encode(RECORD)
    latest = client.get_latest_version(f"{topic}-value")
    assert int.from_bytes(value[1:5], "big") == latest.schema_id
