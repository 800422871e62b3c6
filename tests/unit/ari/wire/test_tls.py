"""Which authorities a TLS context trusts, by handshakes in memory."""

from __future__ import annotations

import contextlib
from pathlib import Path

from OpenSSL.SSL import (
    TLS_METHOD,
    VERIFY_PEER,
    Connection,
    Context,
    Error,
    WantReadError,
)
from twisted.internet.ssl import Certificate, trustRootFromCertificates
from twisted.trial.unittest import SynchronousTestCase

from channel_aa.ari.wire import tls
from channel_aa.ari.wire.tls import TLS
from tests.support.certificates import Authority, Issued

NAME = "pbx.example"


class TrustTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.folder = Path(self.mktemp())
        self.folder.mkdir()
        self.private = Authority(self.folder, "private")
        self.system = Authority(self.folder, "system")
        certificate = Certificate.loadPEM(Path(self.system.ca_file).read_bytes())
        self.patch(
            tls, "platformTrust", lambda: trustRootFromCertificates([certificate])
        )

    def is_trusted(self, settings: TLS, shown: Issued) -> bool:
        """Tell whether a client with these settings accepts a server's certificate."""
        server_context = Context(TLS_METHOD)
        server_context.use_certificate_file(shown.certificate_file)
        server_context.use_privatekey_file(shown.key_file)
        client = Connection(settings._context(), None)
        client.set_verify(VERIFY_PEER, lambda *result: bool(result[-1]))
        client.set_connect_state()
        server = Connection(server_context, None)
        server.set_accept_state()
        try:
            for _ in range(4):
                for sender, receiver in ((client, server), (server, client)):
                    with contextlib.suppress(WantReadError):
                        sender.do_handshake()
                    with contextlib.suppress(WantReadError):
                        receiver.bio_write(sender.bio_read(65536))
        except Error:
            return False
        return True

    def test_private_authority_replaces_those_of_the_system(self) -> None:
        settings = TLS(ca_file=self.private.ca_file)
        self.assertTrue(self.is_trusted(settings, self.private.issue(NAME)))
        self.assertFalse(self.is_trusted(settings, self.system.issue(NAME)))

    def test_file_that_cannot_be_used_is_an_error_with_its_name(self) -> None:
        error = self.assertRaises(ValueError, TLS(ca_file="/no/file")._context)
        self.assertEqual(
            str(error), "ca_file: /no/file cannot be read: No such file or directory"
        )

    def test_authorities_of_the_system_are_trusted_by_default(self) -> None:
        self.assertTrue(self.is_trusted(TLS(), self.system.issue(NAME)))
        self.assertFalse(self.is_trusted(TLS(), self.private.issue(NAME)))
