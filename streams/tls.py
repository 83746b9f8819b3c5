"""Certificates and keys of the settings, read so that what is wrong with a file is said of it."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from streams.settings import ENV_PREFIX, Settings

Server = Literal["kafka", "schema_registry", "redis"]


class CertificateFileError(ValueError):
    """A file with certificates or a key that can't be used: says which setting names it, and why.

    The command ends with 2: another try does not mend it.
    """


@dataclass(frozen=True, slots=True)
class TlsFiles:
    """The files of one server: whom to trust, and who we are."""

    server: Server
    ca: Path | None
    certificate: Path | None
    key: Path | None
    password: str

    @classmethod
    def of(cls, settings: Settings, server: Server) -> TlsFiles:
        """Return what the settings say about a server."""
        return cls(
            server,
            getattr(settings, f"{server}_ssl_ca_location"),
            getattr(settings, f"{server}_ssl_certificate_location"),
            getattr(settings, f"{server}_ssl_key_location"),
            getattr(settings, f"{server}_ssl_key_password").get_secret_value(),
        )

    def context(self) -> ssl.SSLContext:
        """Return a client's context: names are checked, and `ca` alone is trusted where it is set.

        Raises:
            CertificateFileError
        """
        for name in ("ca", "certificate", "key"):
            self._check_readable(name)
        try:
            context = ssl.create_default_context(cafile=str(self.ca) if self.ca else None)
        except ssl.SSLError:
            raise self._error("ca", "holds no certificate in PEM") from None
        if self.certificate is not None:
            self._identify(context, self.certificate)
        elif self.key is not None:
            raise self._error("key", "is a key without a certificate; set the certificate too")
        return context

    def _identify(self, context: ssl.SSLContext, certificate: Path) -> None:
        try:
            # With a password in any case: without one, OpenSSL asks for it on the terminal.
            context.load_cert_chain(
                certificate, self.key, password=lambda: self.password.encode() or b"\0"
            )
        except ssl.SSLError as error:
            raise self._error("certificate", self._refusal(error)) from None

    def _refusal(self, error: ssl.SSLError) -> str:
        if error.reason == "KEY_VALUES_MISMATCH":
            return f"does not belong to the key; check {self._variable('key')}"
        key = self.key or self.certificate
        assert key is not None  # noqa: S101 - there is a certificate
        if b"ENCRYPTED" in key.read_bytes():
            variable = f"{ENV_PREFIX}{self.server}_ssl_key_password".upper()
            return f"has a key that is not opened by its password; check {variable}"
        return f"and its key can't be read as PEM; check {self._variable('key')}"

    def _check_readable(self, name: str) -> None:
        path: Path | None = getattr(self, name)
        if path is None:
            return
        try:
            with path.open("rb") as file:
                file.read(1)
        except OSError as error:
            raise self._error(name, f"can't be read: {error.strerror}") from None

    def _error(self, name: str, text: str) -> CertificateFileError:
        return CertificateFileError(f"{self._variable(name)}: {getattr(self, name)} {text}")

    def _variable(self, name: str) -> str:
        return f"{ENV_PREFIX}{self.server}_ssl_{name}_location".upper()


def refusal(error: BaseException | None) -> str:
    """Return what a TLS error says, down its causes, in words for people; empty where none does."""
    while error is not None:
        if isinstance(error, ssl.SSLCertVerificationError):
            return f"its certificate is not trusted: {error.verify_message.rstrip('.')}"
        if isinstance(error, ssl.SSLError):
            reason = (error.reason or type(error).__name__).replace("_", " ").lower()
            return f"TLS failed: {reason}"
        error = error.__cause__ or error.__context__
    return ""
