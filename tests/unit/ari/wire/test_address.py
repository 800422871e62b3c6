"""The address of an Asterisk: its URLs, and its credentials."""

from __future__ import annotations

from base64 import b64decode

from twisted.internet.endpoints import HostnameEndpoint
from twisted.trial.unittest import SynchronousTestCase

from channel_aa.ari.wire.address import Address
from tests.support.ari_fakes import PASSWORD, make_address
from tests.support.attendant_fakes import memory_reactor


class AddressTests(SynchronousTestCase):
    def test_http_url_gives_the_urls_of_ari(self) -> None:
        address = make_address("http://localhost:8088")
        self.assertEqual(address.base_url, "http://localhost:8088/ari")
        self.assertEqual(
            address.events_url(), "ws://localhost:8088/ari/events?app=channel-aa"
        )
        self.assertEqual((address.host, address.port), ("localhost", 8088))
        self.assertFalse(address.is_secure)

    def test_https_means_wss(self) -> None:
        address = make_address("https://pbx.example")
        self.assertEqual(address.base_url, "https://pbx.example/ari")
        self.assertEqual(
            address.events_url(), "wss://pbx.example/ari/events?app=channel-aa"
        )
        self.assertEqual((address.host, address.port), ("pbx.example", 443))
        self.assertTrue(address.is_secure)

    def test_only_https_is_encrypted(self) -> None:
        reactor = memory_reactor()
        plain = make_address("http://pbx.example").endpoint(reactor)
        self.assertIsInstance(plain, HostnameEndpoint)
        secure = make_address("https://pbx.example").endpoint(reactor)
        self.assertNotIsInstance(secure, HostnameEndpoint)

    def test_default_port_of_http_is_80(self) -> None:
        self.assertEqual(make_address("http://pbx.example").port, 80)

    def test_scheme_is_case_insensitive(self) -> None:
        address = make_address("HTTPS://pbx.example")
        self.assertEqual(address.base_url, "https://pbx.example/ari")
        self.assertTrue(address.is_secure)

    def test_prefix_of_http_conf_precedes_ari(self) -> None:
        for url in ("http://localhost:8088/pbx", "http://localhost:8088/pbx/"):
            with self.subTest(url=url):
                address = make_address(url)
                self.assertEqual(address.base_url, "http://localhost:8088/pbx/ari")
                self.assertIn("8088/pbx/ari/events?", address.events_url())

    def test_ipv6_literal_has_brackets_only_in_the_url(self) -> None:
        address = make_address("http://[::1]:8088")
        self.assertEqual(address.base_url, "http://[::1]:8088/ari")
        self.assertEqual(address.host, "::1")
        self.assertEqual(address.port, 8088)

    def test_application_is_quoted(self) -> None:
        address = make_address(app="a b&c")
        self.assertTrue(address.events_url().endswith("/ari/events?app=a+b%26c"))

    def test_further_applications_follow_the_first(self) -> None:
        url = make_address(app="a b").events_url("a b@pbx:1:2f")
        self.assertTrue(url.endswith("/ari/events?app=a+b,a+b@pbx:1:2f"))

    def test_credentials_are_those_of_basic_authentication(self) -> None:
        address = Address(
            url="http://localhost", username="zoë", password="a:b", app="x"
        )
        scheme, encoded = address.authorization.split()
        self.assertEqual(scheme, "Basic")
        self.assertEqual(b64decode(encoded).decode(), "zoë:a:b")

    def test_only_the_authorization_contains_the_password(self) -> None:
        address = make_address()
        for text in (
            repr(address),
            str(address),
            address.base_url,
            address.events_url(),
        ):
            self.assertNotIn(PASSWORD, text)
            self.assertNotIn(address.authorization.split()[1], text)
        self.assertIn("alice", repr(address))
        self.assertIn("channel-aa", repr(address))

    def test_url_of_no_http_server_is_refused(self) -> None:
        for url in (
            "",
            "localhost",
            "localhost:8088",
            "ws://localhost:8088",
            "http://",
            "http:///ari",
            "http://localhost:port",
            "http://localhost:99999",
        ):
            with self.subTest(url=url), self.assertRaises(ValueError):
                make_address(url)

    def test_credentials_in_the_url_are_refused_and_not_repeated(self) -> None:
        for url in (f"http://bob:{PASSWORD}@localhost:8088", "http://bob@localhost"):
            with self.subTest(url=url):
                error = self.assertRaises(ValueError, make_address, url)
                self.assertNotIn(PASSWORD, str(error))
                self.assertIn("username", str(error))

    def test_loopback_addresses_are_this_machine(self) -> None:
        for host in ("localhost", "127.0.0.1", "127.1.2.3", "[::1]", "a.localhost"):
            with self.subTest(host=host):
                self.assertTrue(make_address(f"http://{host}:8088").is_this_machine)
        for host in ("pbx.example", "10.0.0.1", "[fe80::1]", "localhost.example"):
            with self.subTest(host=host):
                self.assertFalse(make_address(f"http://{host}:8088").is_this_machine)
