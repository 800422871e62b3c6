"""The events connection: keep-alive, and reconnecting."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.internet.defer import Deferred, succeed
from twisted.internet.error import ConnectionAborted, ConnectionDone, ConnectionLost
from twisted.internet.interfaces import IStreamClientEndpoint
from twisted.logger import LogLevel
from twisted.python.failure import Failure
from zope.interface import implementer

from channel_aa.ari.wire.address import Address
from channel_aa.ari.wire.backoff import Backoff
from channel_aa.ari.wire.connection import EventsConnection
from channel_aa.ari.wire.diagnostics import Diagnosis, diagnose_refusal
from channel_aa.ari.wire.tls import TLS, CertificateError
from tests.support.ari_fakes import PASSWORD, LogRecorder, make_address
from tests.support.ari_sockets import (
    CLOSE,
    PING,
    PONG,
    TEXT,
    SocketTestCase,
    Wire,
    frame,
    handshake_for,
)

if TYPE_CHECKING:
    from twisted.internet.interfaces import IProtocol, IProtocolFactory

IN_TIME = 15.0
"""Seconds within which a dead connection has to be dropped."""


@implementer(IStreamClientEndpoint)
class Wires:
    """Connects at once, to transports that the test holds."""

    def __init__(self) -> None:
        self.clients: list[Any] = []

    def connect(self, protocolFactory: IProtocolFactory) -> Deferred[IProtocol]:  # noqa: N803 - Twisted's
        client = cast("Any", protocolFactory.buildProtocol(cast("Any", None)))
        self.clients.append(client)
        client.makeConnection(Wire())
        return succeed(client)


class ConnectionCase(SocketTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.log = LogRecorder()
        self.addCleanup(self.log.stop)

    def connect(
        self, *, has_handshake: bool = True, address: Address | None = None
    ) -> None:
        """Open a connection, and clear what was sent."""
        self.wires = Wires()
        self.calls: list[str] = []
        self.connection = EventsConnection(
            address or make_address(),
            on_open=lambda: self.calls.append("open"),
            on_message=lambda _message: None,
            on_lost=lambda: self.calls.append("lost"),
            reactor=self.clock,
            endpoint=self.wires,
            backoff=Backoff(jitter=0.0),
        )
        self.connection.start()
        [self.client] = self.wires.clients
        if not has_handshake:
            return
        self.receive(handshake_for(self.client))
        self.client.transport.clear()
        self.assertEqual(self.calls, ["open"])

    def disconnect(self) -> None:
        stopped = self.connection.stop()
        self.client.connectionLost(Failure(ConnectionLost()))
        self.successResultOf(stopped)

    def receive(self, data: bytes) -> None:
        self.client.dataReceived(data)

    def sent(self) -> list[int]:
        """Return the opcodes of the control frames that were sent, and clear them."""
        data = self.client.transport.value()
        self.client.transport.clear()
        opcodes = []
        while data:
            opcodes.append(data[0] & 0x0F)
            data = data[6 + (data[1] & 0x7F) :]
        return opcodes

    def is_dead(self) -> bool:
        return bool(self.client.transport.is_closing)

    def pass_time(self, seconds: float) -> None:
        self.clock.pump([0.25] * round(seconds * 4))

    def fail_with(self, reason: Exception) -> str:
        """Lose the connection; return the line that is logged."""
        self.client.connectionLost(Failure(reason))
        [line] = self.log.texts(level=LogLevel.error)
        self.successResultOf(self.connection.stop())
        return line


class UnstableConnectionTests(ConnectionCase):
    """A server that completes each handshake, and closes the connection soon."""

    def lose_after(self, seconds: float) -> float:
        """Lose the connection; return the delay until the next, which is opened."""
        self.keep(seconds)
        self.client.connectionLost(Failure(ConnectionDone()))
        count = len(self.wires.clients)
        lost = self.clock.seconds()
        while len(self.wires.clients) == count:
            self.clock.advance(0.25)
        self.client = self.wires.clients[-1]
        self.receive(handshake_for(self.client))
        return self.clock.seconds() - lost

    def keep(self, seconds: float) -> None:
        for _ in range(round(seconds)):
            self.clock.advance(1.0)
            self.receive(frame(TEXT, b"{}"))

    def test_delays_grow_unless_the_connection_was_stable(self) -> None:
        self.connect()
        self.assertEqual([self.lose_after(59) for _ in range(4)], [0.5, 1.0, 2.0, 4.0])
        self.assertEqual(self.lose_after(60), 0.5)
        self.disconnect()

    def test_hour_of_closed_connections_logs_two_lines(self) -> None:
        self.connect()
        while self.clock.seconds() < 3600:
            self.lose_after(0)
        connected, ended = self.lines()
        self.assertIn("Connected to", connected)
        self.assertIn("The connection to Asterisk ended", ended)
        self.assertLess(len(self.wires.clients), 130)
        self.disconnect()

    def test_connection_that_lasts_is_logged_and_so_is_its_loss(self) -> None:
        self.connect()
        self.lose_after(1)
        self.assertEqual(len(self.lines()), 2)
        self.keep(59)
        self.assertEqual(len(self.lines()), 2)
        self.keep(1)
        self.assertIn("Connected to", self.lines()[2])
        self.keep(60)
        self.assertEqual(len(self.lines()), 3)
        self.client.connectionLost(Failure(ConnectionDone()))
        self.assertIn("The connection to Asterisk ended", self.lines()[3])
        self.successResultOf(self.connection.stop())

    def test_problem_is_known_while_there_is_no_connection(self) -> None:
        self.connect()
        self.assertEqual(self.connection.problem, "")
        self.client.connectionLost(Failure(ConnectionDone()))
        self.assertIn("The connection to Asterisk ended", self.connection.problem)
        self.clock.advance(0.5)
        self.client = self.wires.clients[-1]
        self.receive(handshake_for(self.client))
        self.assertEqual(self.connection.problem, "")
        self.disconnect()

    def lines(self) -> list[str]:
        return [line for line in self.log.texts() if "not encrypted" not in line]


class RefusedAccessTests(ConnectionCase):
    """Asterisk opens the websocket, and refuses requests."""

    refusal = diagnose_refusal(403, "Write access denied", make_address())

    def setUp(self) -> None:
        super().setUp()
        self.access: Diagnosis | None = self.refusal
        self.checks = 0

    def check_access(self) -> Deferred[Diagnosis | None]:
        self.checks += 1
        return succeed(self.access)

    def refuse(self) -> None:
        self.connect()
        self.connection._check_access = self.check_access
        self.connection.refuse(self.refusal)

    def close(self) -> None:
        self.client.connectionLost(Failure(ConnectionDone()))

    def test_websocket_is_closed_and_counts_as_lost_at_once(self) -> None:
        self.refuse()
        self.assertEqual(self.sent(), [CLOSE])
        self.assertEqual(self.calls, ["open", "lost"])
        self.assertFalse(self.connection.is_open)
        self.assertIn("read_only = no", self.connection.problem)
        self.close()
        self.assertEqual(self.calls, ["open", "lost"])
        self.successResultOf(self.connection.stop())

    def test_refusal_is_logged_once_with_file_section_and_key(self) -> None:
        self.refuse()
        self.close()
        self.pass_time(300)
        [line] = self.log.texts(level=LogLevel.error)
        self.assertIn("Set read_only = no in the section [alice] of ari.conf", line)
        self.successResultOf(self.connection.stop())

    def test_no_websocket_is_opened_before_access_is_granted(self) -> None:
        self.refuse()
        self.close()
        self.pass_time(300)
        self.assertEqual(len(self.wires.clients), 1)
        # 0.5, 1, 2, 4, 8, 16, then every 30 seconds.
        self.assertEqual(self.checks, 6 + 8)
        self.access = None
        while len(self.wires.clients) == 1:
            self.pass_time(0.25)
        self.client = self.wires.clients[1]
        self.receive(handshake_for(self.client))
        self.assertEqual(self.connection.problem, "")
        self.assertIn("Connected to", self.log.texts()[-1])
        self.disconnect()

    def test_stop_during_the_check(self) -> None:
        self.refuse()
        checking: Deferred[Diagnosis | None] = Deferred()
        self.connection._check_access = lambda: checking
        self.close()
        self.clock.advance(0.5)
        self.successResultOf(self.connection.stop())
        self.assertEqual(len(self.wires.clients), 1)

    def test_refusal_of_a_closed_connection_does_nothing(self) -> None:
        self.connect()
        self.client.connectionLost(Failure(ConnectionDone()))
        self.connection.refuse(self.refusal)
        self.assertEqual(self.calls, ["open", "lost"])
        self.clock.advance(0.5)
        self.assertEqual(len(self.wires.clients), 2)
        self.client = self.wires.clients[1]
        self.disconnect()


class HandshakeTests(ConnectionCase):
    def refuse(self, response: bytes) -> str:
        self.connect(has_handshake=False)
        self.receive(response)
        self.assertTrue(self.client.transport.was_aborted)
        return self.fail_with(ConnectionAborted())

    def test_request_asks_for_the_events_and_has_the_credentials(self) -> None:
        self.connect(has_handshake=False)
        first, *headers = self.client.transport.value().decode().split("\r\n")
        self.assertEqual(first, "GET /ari/events?app=channel-aa HTTP/1.1")
        self.assertIn(f"Authorization: {make_address().authorization}", headers)
        self.disconnect()

    def test_refusal_is_logged_with_its_remedy(self) -> None:
        line = self.refuse(b"HTTP/1.1 401 Unauthorized\r\n\r\n")
        self.assertIn("Asterisk refused the user 'alice' or the password.", line)

    def test_other_status_is_logged_with_its_text(self) -> None:
        line = self.refuse(b"HTTP/1.1 302 Moved away\r\n\r\n")
        self.assertIn("responded 302 Moved away instead of opening a websocket", line)

    def test_status_without_a_text_is_logged(self) -> None:
        line = self.refuse(b"HTTP/1.1 302\r\n\r\n")
        self.assertIn("/ari responded 302  instead of", line)

    def test_other_protocol_is_logged(self) -> None:
        line = self.refuse(b"SSH-2.0-OpenSSH_9.6\r\n\r\n")
        self.assertIn("pbx.example:8088 did not open a websocket", line)

    def test_handshake_without_an_answer_is_given_up(self) -> None:
        self.connect(has_handshake=False)
        self.clock.advance(9.9)
        self.assertFalse(self.is_dead())
        self.clock.advance(0.1)
        self.assertTrue(self.is_dead())
        self.assertIn("(no answer within 10 seconds)", self.fail_with(ConnectionLost()))

    def test_refused_certificate_is_logged(self) -> None:
        self.connect(has_handshake=False)
        line = self.fail_with(CertificateError("its certificate has expired"))
        self.assertIn(
            "No TLS connection to pbx.example:8088: its certificate has expired.", line
        )

    def test_unverified_connection_is_an_error(self) -> None:
        address = Address(
            url="https://pbx.example",
            username="alice",
            password=PASSWORD,
            app="channel-aa",
            tls=TLS(verify=False),
        )
        self.connect(address=address)
        [line] = self.log.texts(level=LogLevel.error)
        self.assertIn("The certificate of pbx.example is not verified", line)
        self.disconnect()


class CloseTests(ConnectionCase):
    def test_stop_closes_the_websocket_with_code_1000(self) -> None:
        self.connect()
        stopped = self.connection.stop()
        sent = self.client.transport.value()
        self.assertEqual(sent[0] & 0x0F, CLOSE)
        code = bytes(
            one ^ other for one, other in zip(sent[6:8], sent[2:4], strict=True)
        )
        self.assertEqual(int.from_bytes(code, "big"), 1000)
        self.assertNoResult(stopped)
        self.client.connectionLost(Failure(ConnectionDone()))
        self.successResultOf(stopped)

    def test_close_without_an_answer_takes_two_seconds(self) -> None:
        self.connect()
        stopped = self.connection.stop()
        self.clock.advance(1.9)
        self.assertFalse(self.is_dead())
        self.clock.advance(0.1)
        self.assertTrue(self.is_dead())
        self.client.connectionLost(Failure(ConnectionAborted()))
        self.successResultOf(stopped)

    def test_stop_aborts_an_unfinished_handshake(self) -> None:
        self.connect(has_handshake=False)
        stopped = self.connection.stop()
        self.assertTrue(self.client.transport.was_aborted)
        self.client.connectionLost(Failure(ConnectionAborted()))
        self.successResultOf(stopped)


class KeepAliveTests(ConnectionCase):
    @settings(max_examples=60)
    @given(received_last=st.floats(0, 30), is_talking=st.booleans())
    def test_dead_connection_is_dropped_in_time(
        self, *, received_last: float, is_talking: bool
    ) -> None:
        """At whatever time the network fails."""
        self.connect()
        while self.clock.seconds() < received_last:
            self.pass_time(0.25)
            if is_talking or PING in self.sent():
                self.receive(frame(PONG))
        self.receive(frame(TEXT, b"{}"))
        last = self.clock.seconds()
        while not self.is_dead():
            self.clock.advance(0.1)
            self.assertLess(self.clock.seconds() - last, IN_TIME)
        self.disconnect()
        self.assert_nothing_left()

    def test_short_silence_is_tolerated(self) -> None:
        """Asterisk may serve a request that waits."""
        self.connect()
        self.receive(frame(TEXT, b"{}"))
        self.pass_time(5.0 + 1.0)
        self.assertEqual(self.sent(), [PING])
        self.pass_time(5.0)
        self.assertFalse(self.is_dead())
        self.receive(frame(PONG))
        self.pass_time(10.0)
        self.assertFalse(self.is_dead())
        self.disconnect()

    def test_any_frame_counts_as_an_answer(self) -> None:
        self.connect()
        for _ in range(10):
            self.pass_time(10.0)
            self.receive(frame(TEXT, b"{}"))
        self.assertFalse(self.is_dead())
        self.disconnect()

    def test_each_silence_sends_a_single_ping(self) -> None:
        self.connect()
        for _ in range(3):
            self.pass_time(6.5)
            self.assertEqual(self.sent(), [PING])
            self.receive(frame(PONG))
        self.pass_time(1.0)
        self.assertEqual(self.sent(), [])
        self.disconnect()

    def test_active_connection_is_sent_no_ping(self) -> None:
        self.connect()
        for _ in range(60):
            self.pass_time(1.0)
            self.receive(frame(TEXT, b"{}"))
        self.assertEqual(self.sent(), [])
        self.disconnect()

    def test_no_unsolicited_pong_is_sent(self) -> None:
        """One crashes some versions of Asterisk."""
        self.connect()
        self.pass_time(10.0)
        self.receive(frame(PONG, b"nobody asked"))
        self.assertEqual(self.sent(), [PING])
        self.receive(frame(PING, b"there?"))
        self.assertEqual(self.sent(), [PONG])
        self.disconnect()

    def test_suspended_process_does_not_drop_the_connection(self) -> None:
        """What arrived meanwhile has not been read yet."""
        self.connect()
        self.clock.advance(3600.0)
        self.assertFalse(self.is_dead())
        self.receive(frame(TEXT, b"{}"))
        self.pass_time(12.0)
        self.assertFalse(self.is_dead())
        self.disconnect()

    def test_connection_is_open_from_the_handshake_to_the_loss(self) -> None:
        self.connect(has_handshake=False)
        self.assertFalse(self.connection.is_open)
        self.receive(handshake_for(self.client))
        self.assertTrue(self.connection.is_open)
        self.assertEqual(
            self.log.texts(level=LogLevel.info),
            ["Connected to http://pbx.example:8088/ari as application channel-aa"],
        )
        self.client.connectionLost(Failure(ConnectionLost()))
        self.assertFalse(self.connection.is_open)
        self.successResultOf(self.connection.stop())

    def test_dead_connection_is_replaced_and_logged_once(self) -> None:
        self.connect()
        while not self.is_dead():
            self.clock.advance(1.0)
        self.assertTrue(self.client.transport.was_aborted)
        self.client.connectionLost(Failure(ConnectionLost()))
        self.assertEqual(self.calls, ["open", "lost"])
        [line] = self.log.texts(level=LogLevel.error)
        self.assertIn("not even the reply to a ping", line)
        self.clock.advance(1.0)
        self.client = self.wires.clients[1]
        self.receive(handshake_for(self.client))
        self.assertEqual(self.calls, ["open", "lost", "open"])
        self.disconnect()

    def test_closed_connection_is_logged_with_its_code_and_reason(self) -> None:
        self.connect()
        self.receive(frame(CLOSE, b"\x03\xe9going away"))
        self.client.connectionLost(Failure(ConnectionDone()))
        [line] = self.log.texts(level=LogLevel.error)
        self.assertEqual(
            line,
            "The connection to Asterisk ended (1001: going away). Trying again in"
            " 0.5 s, and until it succeeds.",
        )
        self.successResultOf(self.connection.stop())

    def test_same_problem_is_logged_once(self) -> None:
        self.connect(has_handshake=False)
        for attempt in range(3):
            self.client = self.wires.clients[attempt]
            self.client.connectionLost(Failure(ConnectionDone()))
            self.clock.advance(60.0)
        [line] = self.log.texts(level=LogLevel.error)
        self.assertIn("did not open a websocket", line)
        self.client = self.wires.clients[-1]
        self.disconnect()

    def test_unencrypted_connection_is_warned_of_once(self) -> None:
        self.connect()
        self.client.connectionLost(Failure(ConnectionLost()))
        self.clock.advance(1.0)
        self.client = self.wires.clients[1]
        self.receive(handshake_for(self.client))
        [line] = self.log.texts(level=LogLevel.warn)
        self.assertIn("is not encrypted", line)
        self.disconnect()

    def test_fault_in_on_lost_does_not_prevent_a_reconnection(self) -> None:
        self.connect()

        def fail() -> None:
            raise RuntimeError("a fault of ours")

        self.connection._on_lost = fail
        self.client.connectionLost(Failure(ConnectionLost()))
        self.assertEqual(len(self.flushLoggedErrors(RuntimeError)), 1)
        self.clock.advance(1.0)
        self.assertEqual(len(self.wires.clients), 2)
        self.client = self.wires.clients[1]
        self.disconnect()
