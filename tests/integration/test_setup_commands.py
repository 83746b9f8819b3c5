"""Setting up: topics made and compared, and what the doctor finds."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Any

from deploy.services.process import free_port
from streams import topics
from streams.settings import Settings
from tests.harness import Bus, WorkerProcess, alter_topic, json_lines
from tests.integration.command import is_plain


def test_topics_are_made_and_compared(run: Any, settings: Settings) -> None:
    missing = run(settings, "topics", "check", "--json")
    assert missing.returncode == 1
    assert {row["state"] for row in json_lines(missing.stdout)} == {"missing"}
    assert run(settings, "topics", "create").returncode == 0
    assert run(settings, "topics", "check").returncode == 0
    alter_topic(settings, topics.LISTINGS, "retention.ms", "1000")
    differs = run(settings, "topics", "check", "--json")
    assert differs.returncode == 1
    (row,) = [row for row in json_lines(differs.stdout) if row["state"] == "differs"]
    assert row["topic"] == settings.topic("marketplace.listings")
    assert row["differences"] == ["retention.ms is 1000, has to be 2592000000"]
    left = run(settings, "topics", "create")
    assert left.returncode == 1
    assert "is not as it has to be: retention.ms is 1000, has to be 2592000000" in left.stderr
    refused = run(settings, "topics", "create", ASSAYER_TOPIC_REPLICATION="3",
                  ASSAYER_TOPIC_PREFIX=f"{settings.topic_prefix}three.")  # fmt: skip
    assert refused.returncode == 1
    assert is_plain(refused)
    assert "could not be made" in refused.stderr


def test_doctor_names_what_is_wrong_and_masks_secrets(run: Any, bus: Bus) -> None:
    well = run(bus.settings, "doctor")
    assert well.returncode == 0, well
    secret = "hunter2"  # noqa: S105 - of nobody
    result = run(
        bus.settings,
        "doctor",
        "--json",
        ASSAYER_KAFKA_SASL_PASSWORD=secret,
        ASSAYER_REDIS_URL=f"redis://:{secret}@127.0.0.1:{free_port()}/0",
        ASSAYER_REDIS_URI="typo",
    )
    assert result.returncode == 3
    assert secret not in result.stdout + result.stderr
    rows = json_lines(result.stdout)
    shown = rows[0]["settings"]
    assert {shown[f"ASSAYER_{name}"] for name in ("KAFKA_SASL_PASSWORD", "REDIS_URL")} == {"*" * 8}
    states = {row["check"]: row for row in rows[1:]}
    assert states["redis"]["state"] == "unreachable"
    assert states["kafka"]["state"] == "ok"
    assert states["variables"]["state"] == "wrong"
    assert "did you mean ASSAYER_REDIS_URL?" in states["variables"]["detail"]


def test_doctor_is_content_beside_a_worker_and_not_beside_anything_else(
    run: Any, bus: Bus, tmp_path: Path
) -> None:
    with WorkerProcess(bus.settings, tmp_path) as worker:
        worker.wait_ready()
        port = worker.url.rpartition(":")[2]
        beside = run(bus.settings, "doctor", ASSAYER_METRICS_PORT=port)
        assert beside.returncode == 0, beside
        assert "a worker serves at" in beside.stdout
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = str(other.getsockname()[1])
        taken = run(bus.settings, "doctor", ASSAYER_METRICS_PORT=port)
    assert taken.returncode == 1, taken
    assert "something else serves there" in taken.stdout


def test_doctor_knows_a_web_server_from_a_registry(run: Any, bus: Bus) -> None:
    """A path that is missing is answered with 404, as an unknown schema is."""
    url = bus.settings.schema_registry_url.split("/apis")[0]
    result = run(bus.settings, "doctor", ASSAYER_SCHEMA_REGISTRY_URL=url)
    assert result.returncode == 3
    assert "its path" in result.stdout
