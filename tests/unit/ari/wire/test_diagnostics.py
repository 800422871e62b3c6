"""Each diagnosis of a failed connection names a remedy, and no secret."""

from __future__ import annotations

from typing import cast

from OpenSSL.SSL import Error as TLSError
from twisted.internet.error import (
    ConnectionLost,
    ConnectionRefusedError,  # noqa: A004 - Twisted's
    DNSLookupError,
    NoRouteError,
    TCPTimedOutError,
    TimeoutError,  # noqa: A004 - Twisted's
)
from twisted.trial.unittest import SynchronousTestCase

from channel_aa.ari.wire.address import Address
from channel_aa.ari.wire.diagnostics import (
    Diagnosis,
    diagnose_connect_error,
    diagnose_exposure,
    diagnose_loss,
    diagnose_no_websocket,
    diagnose_refusal,
    diagnose_tls_error,
    is_tls_error,
)
from channel_aa.ari.wire.tls import TLS, CertificateError
from tests.support.ari_fakes import PASSWORD, make_address

ADDRESS = make_address()
CERTIFICATE_ERROR = TLSError(
    [("SSL routines", "tls_process_server_certificate", "certificate verify failed")]
)


def secured(url: str, tls: TLS) -> Address:
    return Address(url=url, username="alice", password=PASSWORD, app="x", tls=tls)


class DiagnosisTests(SynchronousTestCase):
    def assert_says(self, diagnosis: Diagnosis, *words: str) -> None:
        for word in words:
            self.assertIn(word, diagnosis.text)
        self.assertTrue(diagnosis.text.rstrip().endswith((".", "?", ")?")))

    def test_refused_connection_names_the_port_and_http_conf(self) -> None:
        diagnosis = diagnose_connect_error(ConnectionRefusedError(), ADDRESS)
        self.assert_says(
            diagnosis,
            "pbx.example:8088",
            "Check that Asterisk runs",
            "http.conf",
            "bindport",
        )

    def test_unknown_host_is_named(self) -> None:
        diagnosis = diagnose_connect_error(DNSLookupError(), ADDRESS)
        self.assert_says(diagnosis, "'pbx.example'", "Check the url")

    def test_connect_timeout_names_network_and_firewall(self) -> None:
        for error in (TimeoutError(), TCPTimedOutError()):
            with self.subTest(error=error):
                diagnosis = diagnose_connect_error(error, ADDRESS)
                self.assert_says(diagnosis, "pbx.example:8088", "network", "firewall")

    def test_other_network_errors_are_quoted(self) -> None:
        self.assert_says(
            diagnose_connect_error(NoRouteError(), ADDRESS),
            "pbx.example:8088",
            "No route",
        )
        self.assert_says(diagnose_connect_error(OSError(), ADDRESS), "OSError")

    def test_each_status_names_the_settings_to_check(self) -> None:
        for status, words in {
            400: ("'channel-aa'", "Check app"),
            401: ("'alice'", "username and password", "ari.conf"),
            403: ("'alice'", "ari.conf"),
            404: ("http://pbx.example:8088/ari", "prefix", "http.conf", "res_ari"),
            503: ("still starting",),
            200: ("200 OK", "Check that it is Asterisk's HTTP server."),
            302: ("302 OK", "Check that it is Asterisk's HTTP server."),
            500: ("500 OK",),
        }.items():
            with self.subTest(status=status):
                self.assert_says(diagnose_refusal(status, "OK", ADDRESS), *words)

    def test_peer_that_is_no_websocket_server_is_named(self) -> None:
        self.assert_says(
            diagnose_no_websocket(ADDRESS, "what it did"),
            "pbx.example:8088",
            "what it did",
            "http or https",
        )

    def test_tls_errors_are_quoted(self) -> None:
        self.assert_says(
            diagnose_tls_error(CERTIFICATE_ERROR, ADDRESS),
            "pbx.example:8088",
            "certificate verify failed",
            "https",
        )
        self.assert_says(
            diagnose_tls_error(TLSError(), ADDRESS), "TLS connection", "Error"
        )
        self.assert_says(
            diagnose_tls_error(CertificateError("it has expired. Renew it"), ADDRESS),
            "pbx.example:8088: it has expired. Renew it.",
        )

    def test_lost_connection_has_code_and_reason(self) -> None:
        self.assert_says(diagnose_loss(ADDRESS, 1006, "gone"), "ended", "1006", "gone")

    def test_tls_errors_are_recognized(self) -> None:
        self.assertTrue(is_tls_error(CERTIFICATE_ERROR))
        self.assertTrue(is_tls_error(CertificateError("expired")))
        self.assertFalse(is_tls_error(ConnectionLost()))
        self.assertFalse(is_tls_error(None))

    def test_unencrypted_and_unverified_connections_are_exposed(self) -> None:
        for url, tls in (
            ("https://pbx.example", TLS()),
            ("http://localhost:8088", TLS()),
            ("http://[::1]:8088", TLS()),
        ):
            self.assertIsNone(diagnose_exposure(secured(url, tls)))
        open_way = diagnose_exposure(secured("http://pbx.example", TLS()))
        unverified = diagnose_exposure(secured("https://localhost", TLS(verify=False)))
        for diagnosis in (open_way, unverified):
            assert diagnosis is not None
            self.assertNotIn(PASSWORD, diagnosis.text)
        self.assert_says(cast("Diagnosis", open_way), "tlsenable", "https")
        self.assert_says(cast("Diagnosis", unverified), "is not verified", "ca_file")

    def all_diagnoses(self) -> list[Diagnosis]:
        return [
            diagnose_connect_error(ConnectionRefusedError(), ADDRESS),
            diagnose_connect_error(DNSLookupError(), ADDRESS),
            diagnose_connect_error(TCPTimedOutError(), ADDRESS),
            diagnose_connect_error(NoRouteError(), ADDRESS),
            *[
                diagnose_refusal(status, "No", ADDRESS)
                for status in (400, 401, 403, 404, 503, 500)
            ],
            diagnose_no_websocket(ADDRESS, "closed"),
            diagnose_tls_error(CERTIFICATE_ERROR, ADDRESS),
            diagnose_loss(ADDRESS, 1006, "gone"),
        ]

    def test_kinds_of_different_causes_differ(self) -> None:
        kinds = [diagnosis.kind for diagnosis in self.all_diagnoses()]
        self.assertEqual(len(set(kinds)), len(kinds))

    def test_no_diagnosis_contains_the_password(self) -> None:
        for diagnosis in self.all_diagnoses():
            self.assertNotIn(PASSWORD, diagnosis.text)
            self.assertNotIn(ADDRESS.authorization.split()[1], diagnosis.text)
