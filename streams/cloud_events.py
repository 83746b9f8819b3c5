"""CloudEvents headers in Kafka's binary mode."""

from __future__ import annotations

import time


def cloud_event(
    event_id: str, event_type: str, millis: int, trace: bytes | None = None
) -> list[tuple[str, bytes]]:
    """Return the headers of a CloudEvent in Kafka's binary mode (CloudEvents 1.0, Kafka binding).

    `trace` is an incoming `traceparent`, passed on as it came.
    """
    moment = time.gmtime(millis // 1000)
    headers = [
        ("ce_specversion", b"1.0"),
        ("ce_id", event_id.encode()),
        ("ce_type", event_type.encode()),
        ("ce_source", b"/assayer"),
        ("ce_time", f"{time.strftime('%Y-%m-%dT%H:%M:%S', moment)}.{millis % 1000:03d}Z".encode()),
        ("content-type", b"application/avro"),
    ]
    if trace:
        headers.append(("traceparent", trace))
    return headers
