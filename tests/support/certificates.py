"""An authority that issues certificates to a test, good and bad ones."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from typing import TYPE_CHECKING, NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from cryptography.x509.oid import NameOID

if TYPE_CHECKING:
    from pathlib import Path

_DAY = timedelta(days=1)


class Issued(NamedTuple):
    """The files of a certificate and of its key."""

    certificate_file: str
    key_file: str


class Authority:
    """Signs certificates; its own is in `ca_file`.

    Args:
        folder: where its files go.
        name: the authority's name, and the beginning of its files' names.
    """

    def __init__(self, folder: Path, name: str = "authority") -> None:
        self._folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._subject = _named(name)
        builder = _builder(self._subject, self._key.public_key(), ends_in=30 * _DAY)
        certificate = builder.issuer_name(self._subject).add_extension(
            x509.BasicConstraints(ca=True, path_length=None), critical=True
        )
        self.ca_file = str(folder / f"{name}.pem")
        (folder / f"{name}.pem").write_bytes(
            certificate.sign(self._key, hashes.SHA256()).public_bytes(Encoding.PEM)
        )

    def issue(
        self,
        *names: str,
        file: str = "server",
        begins_in: timedelta = -10 * _DAY,
        ends_in: timedelta = 10 * _DAY,
    ) -> Issued:
        """Make a certificate for names and addresses of IP."""
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = (
            _builder(
                _named(names[0]),
                key.public_key(),
                begins_in=begins_in,
                ends_in=ends_in,
            )
            .issuer_name(self._subject)
            .add_extension(
                x509.SubjectAlternativeName([_general(name) for name in names]),
                critical=False,
            )
            .sign(self._key, hashes.SHA256())
        )
        certificate_file = self._folder / f"{file}.pem"
        certificate_file.write_bytes(certificate.public_bytes(Encoding.PEM))
        key_file = self._folder / f"{file}.key"
        key_file.write_bytes(
            key.private_bytes(
                Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()
            )
        )
        key_file.chmod(0o600)
        return Issued(str(certificate_file), str(key_file))


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _general(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _builder(
    subject: x509.Name,
    key: ec.EllipticCurvePublicKey,
    *,
    ends_in: timedelta,
    begins_in: timedelta = -10 * _DAY,
) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now + begins_in)
        .not_valid_after(now + ends_in)
    )
