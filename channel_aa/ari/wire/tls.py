"""TLS to Asterisk: trusted authorities, and a client certificate."""

from __future__ import annotations

from ipaddress import ip_address
from typing import TYPE_CHECKING
from weakref import ref

import msgspec
from cryptography.x509 import ExtensionNotFound, NameOID, SubjectAlternativeName
from OpenSSL.SSL import VERIFY_FAIL_IF_NO_PEER_CERT, VERIFY_PEER, Connection, Context
from service_identity import VerificationError
from service_identity.cryptography import (
    verify_certificate_hostname,
    verify_certificate_ip_address,
)
from twisted.internet.endpoints import wrapClientTLS
from twisted.internet.interfaces import IOpenSSLClientConnectionCreator
from twisted.internet.ssl import CertificateOptions, platformTrust
from twisted.python.failure import Failure
from zope.interface import implementer

from channel_aa.files import tls_problems

if TYPE_CHECKING:
    from cryptography import x509
    from OpenSSL.crypto import X509
    from twisted.internet.interfaces import IStreamClientEndpoint
    from twisted.protocols.tls import TLSMemoryBIOProtocol

# OpenSSL's numbers: see X509_STORE_CTX_get_error(3).
_NOT_YET_VALID = 9
_EXPIRED = 10
_UNTRUSTED = frozenset({2, 18, 19, 20, 21, 27})


class CertificateError(Exception):
    """The server's certificate is refused; the text says why, and what to do."""


class TLS(msgspec.Struct, frozen=True, kw_only=True):
    """The TLS settings of ``https`` and ``wss``; certificates are verified by default.

    Attributes:
        ca_file: PEM file of the authorities to trust in place of the system's, or of
            a self-signed certificate; "": the authorities that the system trusts.
        certificate_file: PEM file of the client certificate, followed by those of its
            intermediate authorities; "": none is sent.
        key_file: PEM file of its private key; "": the key is in `certificate_file`.
        verify: whether the server's certificate is verified, its host name included.
    """

    ca_file: str = ""
    certificate_file: str = ""
    key_file: str = ""
    verify: bool = True

    def endpoint(
        self, plain: IStreamClientEndpoint, *, host: str
    ) -> IStreamClientEndpoint:
        """Make an endpoint of TLS over another endpoint.

        Raises:
            ValueError: a file cannot be used; see `channel_aa.files.tls_problems`.
        """
        context = self._context()
        creator = _ConnectionCreator(context, host=host, verify=self.verify)
        secured: IStreamClientEndpoint = wrapClientTLS(creator, plain)
        return secured

    def _context(self) -> Context:
        for key, message in tls_problems(
            ca_file=self.ca_file,
            certificate_file=self.certificate_file,
            key_file=self.key_file,
        ):
            raise ValueError(f"{key}: {message}")
        trust = None if self.ca_file or not self.verify else platformTrust()
        context = CertificateOptions(trustRoot=trust).getContext()
        if self.ca_file:
            context.load_verify_locations(self.ca_file)
        if self.certificate_file:
            context.use_certificate_chain_file(self.certificate_file)
            context.use_privatekey_file(self.key_file or self.certificate_file)
        return context


@implementer(IOpenSSLClientConnectionCreator)
class _ConnectionCreator:
    """Makes TLS connections that say why a certificate is refused.

    Twisted's own says "certificate verify failed" for every reason.
    """

    def __init__(self, context: Context, *, host: str, verify: bool) -> None:
        self._context = context
        self._host = host
        self._verify = verify
        try:
            ip_address(host)
        except ValueError:
            self._is_name = True
            self._name = _ascii(host)
        else:
            self._is_name = False

    def clientConnectionForTLS(  # noqa: N802 - Twisted's name
        self,
        tlsProtocol: TLSMemoryBIOProtocol,  # noqa: N803 - Twisted's name
    ) -> Connection:
        """Make the TLS connection of a protocol."""
        connection = Connection(self._context, None)
        if self._is_name:
            connection.set_tlsext_host_name(self._name)
        if not self._verify:
            return connection
        protocol = ref(tlsProtocol)

        def verified(
            _connection: Connection, shown: X509, error: int, depth: int, is_good: int
        ) -> bool:
            # OpenSSL ignores what is raised here; the certificate must not pass.
            try:
                certificate = shown.to_cryptography()
                if not is_good:
                    raise CertificateError(_explain(error, certificate))  # noqa: TRY301
                if depth == 0:
                    self._check_name(certificate)
            except Exception:  # noqa: BLE001 - any error refuses the certificate
                failure = Failure()
                if (alive := protocol()) is not None:
                    alive.failVerification(failure)
                return False
            return True

        connection.set_verify(VERIFY_PEER | VERIFY_FAIL_IF_NO_PEER_CERT, verified)
        return connection

    def _check_name(self, certificate: x509.Certificate) -> None:
        try:
            if self._is_name:
                verify_certificate_hostname(certificate, self._name.decode())
            else:
                verify_certificate_ip_address(certificate, self._host)
        except VerificationError:
            raise CertificateError(
                f"its certificate is not for {self._host!r} but for"
                f" {_names(certificate)}. Use such a name in the url, or give"
                f" Asterisk a certificate for {self._host!r}"
            ) from None


def _ascii(host: str) -> bytes:
    try:
        return host.encode("idna")
    except UnicodeError:  # an impossible name: connecting fails, and says why
        return host.encode("ascii", "replace")


def _explain(error: int, certificate: x509.Certificate) -> str:
    if error == _EXPIRED:
        return (
            f"its certificate expired on {certificate.not_valid_after_utc:%d %B %Y}."
            " Renew it (http.conf: tlscertfile), and check this machine's clock"
        )
    if error == _NOT_YET_VALID:
        return (
            f"its certificate is not valid before {certificate.not_valid_before_utc}."
            " Check the clocks of both machines"
        )
    if error in _UNTRUSTED:
        return (
            "its certificate is not signed by a trusted authority. Set ca_file to the"
            " certificate of the authority that signed it (a self-signed certificate"
            " is its own authority)"
        )
    return f"its certificate is rejected: OpenSSL's verification error {error}"


def _names(certificate: x509.Certificate) -> str:
    try:
        names = certificate.extensions.get_extension_for_class(SubjectAlternativeName)
        found = [str(name.value) for name in names.value]
    except ExtensionNotFound:
        found = [
            f"{name.rfc4514_string()} (a common name, which is ignored)"
            for name in certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
        ]
    return ", ".join(map(repr, found[:5])) or "no name at all"
