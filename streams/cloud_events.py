"""CloudEvents headers in Kafka's binary mode."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_FIRST_MS: Final = -62_135_596_800_000
_LAST_MS: Final = 253_402_300_799_999


def cloud_event(
    event_id: str, event_type: str, millis: int, trace: bytes | None = None
) -> list[tuple[str, bytes]]:
    """Return the headers of a CloudEvent in Kafka's binary mode (CloudEvents 1.0, Kafka binding).

    `trace` is an incoming `traceparent`, passed on as it came. A time outside the years 1 to 9999,
    which RFC 3339 can't write, becomes the nearest one that it can.
    """
    moment = _EPOCH + timedelta(milliseconds=min(max(millis, _FIRST_MS), _LAST_MS))
    headers = [
        ("ce_specversion", b"1.0"),
        ("ce_id", event_id.encode()),
        ("ce_type", event_type.encode()),
        ("ce_source", b"/assayer"),
        ("ce_time", f"{moment.replace(tzinfo=None).isoformat(timespec='milliseconds')}Z".encode()),
        ("content-type", b"application/avro"),
    ]
    if trace:
        headers.append(("traceparent", trace))
    return headers
