"""What says that a server does not answer now: nothing is wrong with what was asked of it."""

from __future__ import annotations

from typing import Final

from streams.kafka import KafkaUnavailableError
from streams.schema_registry import RegistryUnavailableError
from streams.store import StoreUnavailable

UNAVAILABLE: Final = (KafkaUnavailableError, RegistryUnavailableError, StoreUnavailable)
"""For an `except`: worth another try."""
