"""The status endpoint, and the client endpoint for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import msgspec
from twisted.internet.endpoints import (
    TCP4ClientEndpoint,
    TCP6ClientEndpoint,
    UNIXClientEndpoint,
)
from twisted.internet.testing import MemoryReactorClock
from twisted.trial.unittest import SynchronousTestCase
from twisted.web.test.requesthelper import DummyRequest

from channel_aa.service.status import Status
from channel_aa.service.status_server import (
    StatusPage,
    _UnixEndpoint,
    client_endpoint,
)
from tests.support.statuses import a_status

if TYPE_CHECKING:
    from twisted.web.server import Request


class StatusPageTests(SynchronousTestCase):
    def request(self, status: Status) -> None:
        request = DummyRequest([])
        self.body = StatusPage(lambda: status).content(cast("Request", request))
        self.code = vars(request)["responseCode"]
        self.headers = request.responseHeaders

    def test_response_is_the_status(self) -> None:
        self.request(a_status())
        self.assertEqual(self.code, 200)
        headers = self.headers
        self.assertEqual(headers.getRawHeaders("Content-Type"), ["application/json"])
        self.assertEqual(headers.getRawHeaders("Cache-Control"), ["no-store"])
        self.assertEqual(msgspec.json.decode(self.body, type=Status), a_status())

    def test_response_while_not_serving_is_503(self) -> None:
        self.request(a_status(serving=False))
        self.assertEqual(self.code, 503)
        self.assertFalse(msgspec.json.decode(self.body, type=Status).serving)


class ClientEndpointTests(SynchronousTestCase):
    def target(self, description: str) -> tuple[type, tuple[object, ...]]:
        endpoint = client_endpoint(description, MemoryReactorClock())
        if isinstance(endpoint, _UnixEndpoint):
            return UNIXClientEndpoint, (endpoint.endpoint._path,)
        assert isinstance(endpoint, TCP4ClientEndpoint | TCP6ClientEndpoint)
        return type(endpoint), (endpoint._host, endpoint._port)

    def test_options_of_a_unix_server_are_ignored(self) -> None:
        for description in (
            "unix:/run/aa/status",
            "unix:/run/aa/status:mode=660:backlog=5",
        ):
            self.assertEqual(
                self.target(description), (UNIXClientEndpoint, ("/run/aa/status",))
            )

    def test_escapes_of_endpoint_descriptions_are_decoded(self) -> None:
        self.assertEqual(
            self.target(r"unix:/run/a\:b\=c"), (UNIXClientEndpoint, ("/run/a:b=c",))
        )

    def test_server_on_all_interfaces_is_reached_on_the_loopback(self) -> None:
        expected = (TCP4ClientEndpoint, ("127.0.0.1", 8089))
        for description in ("tcp:8089", "tcp:8089:interface=0.0.0.0"):
            self.assertEqual(self.target(description), expected)
        self.assertEqual(self.target("tcp6:8089"), (TCP6ClientEndpoint, ("::1", 8089)))

    def test_server_on_an_interface_is_reached_at_its_address(self) -> None:
        self.assertEqual(
            self.target("tcp:8089:interface=192.0.2.1"),
            (TCP4ClientEndpoint, ("192.0.2.1", 8089)),
        )
        self.assertEqual(
            self.target(r"tcp6:8089:interface=2001\:db8\:\:1"),
            (TCP6ClientEndpoint, ("2001:db8::1", 8089)),
        )

    def test_other_endpoint_types_are_an_error(self) -> None:
        for description in ("systemd:domain=INET:index=0", "", "tcp:x", "unix:", "tcp"):
            with self.assertRaisesRegex(ValueError, "supports unix:PATH"):
                client_endpoint(description, MemoryReactorClock())
