"""When certificates end: ours with the first of their chain, the trusted with the last."""

from __future__ import annotations

import datetime
import math
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from streams.certificates import expiries
from streams.settings import Settings

NOW = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)


def pem(days: int) -> bytes:
    """Return a certificate that ends so many days after `NOW`."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"of {days} days")])
    made = x509.CertificateBuilder(
        issuer_name=name,
        subject_name=name,
        public_key=key.public_key(),
        serial_number=days,
        not_valid_before=NOW - datetime.timedelta(days=1),
        not_valid_after=NOW + datetime.timedelta(days=days),
    )
    return made.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM)


def day(number: int) -> float:
    """Return the end of a certificate of so many days."""
    return (NOW + datetime.timedelta(days=number)).timestamp()


def test_of_a_chain_the_first_end_counts_and_of_authorities_the_last(tmp_path: Path) -> None:
    path = tmp_path / "chain.pem"
    path.write_bytes(pem(90) + pem(30))
    settings = Settings(kafka_ssl_certificate_location=path, kafka_ssl_ca_location=path)
    assert expiries(settings) == {
        "kafka_ssl_certificate_location": day(30),
        "kafka_ssl_ca_location": day(90),
    }


def test_what_is_renewed_in_place_is_seen(tmp_path: Path) -> None:
    path = tmp_path / "client.pem"
    settings = Settings(kafka_ssl_certificate_location=path)
    for days in (3, 300):
        path.write_bytes(pem(days))
        assert expiries(settings) == {"kafka_ssl_certificate_location": day(days)}


@pytest.mark.parametrize("content", [None, b"", b"no certificate", pem(5)[:200]])
def test_what_cannot_be_read_is_told(content: bytes | None, tmp_path: Path) -> None:
    path = tmp_path / "client.pem"
    if content is not None:
        path.write_bytes(content)
    (at,) = expiries(Settings(kafka_ssl_certificate_location=path)).values()
    assert math.isnan(at)


def test_without_certificates_there_is_nothing_to_tell() -> None:
    assert expiries(Settings(kafka_ssl_key_location=Path("/nothing"))) == {}
