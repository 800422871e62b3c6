"""The transport of each request, and when it changes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from twisted.internet.defer import CancelledError
from twisted.logger import LogLevel
from zope.interface.verify import verifyObject

from channel_aa.ari.wire import routing
from channel_aa.ari.wire.errors import (
    AriError,
    ConnectionLostError,
    NotFoundError,
    RequestTimeoutError,
)
from channel_aa.ari.wire.requests import IRequestSender, Request
from channel_aa.ari.wire.routing import (
    ALWAYS_OVER_HTTP,
    GRACE_SECONDS,
    PROBE_SECONDS,
    Transport,
    must_go_over_http,
)
from channel_aa.ari.wire.websocket_sender import MAX_FRAME_BYTES, SLOW_SECONDS
from tests.support.ari_cases import GET, PROBE, TIMEOUT, RoutingTestCase

if TYPE_CHECKING:
    from tests.support.ari_fakes import Exchange

HANGUP = Request(method="DELETE", path=("channels", "c1"))

OVER_WEBSOCKET = "Requests go over the websocket"
NOT_SERVED = (
    "Requests go over HTTP: this Asterisk does not serve them over the websocket"
)
NO_LONGER = (
    "Asterisk no longer answers requests over the websocket; they go over HTTP until"
    " the next connection"
)


class AutoTests(RoutingTestCase):
    def test_sender_provides_its_interface(self) -> None:
        verifyObject(IRequestSender, self.transports)

    def test_without_a_websocket_requests_go_over_http(self) -> None:
        self.assert_goes_over(Transport.HTTP)

    def test_requests_go_over_http_until_the_probe_is_answered(self) -> None:
        self.transports.probe()
        self.assertEqual(self.lines, [PROBE])
        self.assert_goes_over(Transport.HTTP)
        self.answer(0)
        self.assert_goes_over(Transport.WEBSOCKET)
        self.assertEqual(self.log.texts(), [OVER_WEBSOCKET])

    def test_probe_succeeds_with_any_status(self) -> None:
        for status in (200, 401, 404, 500, 503):
            with self.subTest(status=status):
                self.transports.probe()
                self.answer(status=status)
                self.assert_goes_over(Transport.WEBSOCKET)
                self.transports.fail_pending()
        self.assertEqual(self.log.texts(), [OVER_WEBSOCKET])

    def test_unanswered_probe_leaves_requests_on_http(self) -> None:
        self.transports.probe()
        self.clock.advance(PROBE_SECONDS - 0.1)
        self.assertEqual(self.log.texts(), [])
        self.clock.advance(0.1)
        self.assert_goes_over(Transport.HTTP)
        self.assertEqual(self.log.texts(level=LogLevel.info), [NOT_SERVED])
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_late_response_to_the_probe_is_ignored(self) -> None:
        self.open_in_vain()
        self.answer()
        self.assert_goes_over(Transport.HTTP)
        self.assertEqual(self.log.texts(), [NOT_SERVED])

    def test_each_connection_is_probed(self) -> None:
        for opening, expected in [
            (self.open_in_vain, Transport.HTTP),
            (self.open, Transport.WEBSOCKET),
            (self.open_in_vain, Transport.HTTP),
        ]:
            opening()
            self.assert_goes_over(expected)
            self.transports.fail_pending()
            self.assert_goes_over(Transport.HTTP)
        self.assertEqual(self.lines.count(PROBE), 3)

    def test_only_changes_are_logged(self) -> None:
        for opening in [self.open_in_vain] * 3 + [self.open] * 3 + [self.open_in_vain]:
            opening()
            self.transports.fail_pending()
        self.assertEqual(self.log.texts(), [NOT_SERVED, OVER_WEBSOCKET, NOT_SERVED])
        self.assertEqual(self.log.texts(level=LogLevel.error), [])

    def test_connection_lost_during_the_probe_proves_nothing(self) -> None:
        self.transports.probe()
        self.transports.fail_pending()
        self.assert_goes_over(Transport.HTTP)
        self.assertEqual(self.clock.getDelayedCalls(), [])
        self.assertEqual(self.log.texts(), [])

    def test_probe_of_an_earlier_connection_is_ignored(self) -> None:
        self.transports.probe()
        self.clock.advance(PROBE_SECONDS / 2)
        self.transports.fail_pending()
        self.transports.probe()
        self.answer(0)
        self.assert_goes_over(Transport.HTTP)
        self.clock.advance(PROBE_SECONDS / 2)
        self.assertEqual(self.log.texts(), [])
        self.answer(1)
        self.assert_goes_over(Transport.WEBSOCKET)
        self.clock.advance(PROBE_SECONDS)
        self.assert_goes_over(Transport.WEBSOCKET)

    def test_closing_during_the_probe_leaves_nothing(self) -> None:
        self.transports.probe()
        self.assertIsNone(self.successResultOf(self.transports.close()))
        self.assertTrue(self.http.is_closed)
        self.assertEqual(self.clock.getDelayedCalls(), [])
        self.assertEqual(self.transports.pending, 0)
        self.assertEqual(self.log.texts(), [])

    def test_closing_cancels_requests_of_both_transports(self) -> None:
        self.open()
        answers = [self.send(), self.send(Request(method="GET", path=("x" * 70000,)))]
        self.assertEqual(self.transports.pending, 2)
        self.successResultOf(self.transports.close())
        for answer in answers:
            self.failureResultOf(answer, CancelledError)
        self.assertEqual(self.transports.pending, 0)

    def test_pending_and_queued_count_both_transports(self) -> None:
        self.send()
        self.open()
        for _ in range(3):
            self.send()
        self.assertEqual((self.transports.pending, self.transports.queued), (4, 1))
        self.http.only_unanswered().accept()
        self.assertEqual((self.transports.pending, self.transports.queued), (3, 1))


class WebSocketTests(RoutingTestCase):
    """While requests go over the websocket."""

    def setUp(self) -> None:
        super().setUp()
        self.open()

    def test_answers_and_errors_are_passed_on(self) -> None:
        first, second = self.send(), self.send(HANGUP)
        self.answer(2, 404)
        self.failureResultOf(second, NotFoundError)
        self.answer(1, 200, "{}")
        self.assertEqual(self.successResultOf(first), b"{}")
        self.assert_goes_over(Transport.WEBSOCKET)

    def test_blocking_requests_go_over_http(self) -> None:
        requests = [
            Request(method=method, path=(first, "id", last))
            for method, first, last in ALWAYS_OVER_HTTP
        ]
        requests[0] = Request(method="POST", path=("channels", "c1", "answer"))
        for request in requests:
            with self.subTest(request=request):
                self.assertTrue(must_go_over_http(request))
                self.send(request)
                self.assertEqual(self.http.exchanges[-1].request, request)
        self.assertEqual(self.lines, [PROBE])

    def test_other_requests_go_over_the_websocket(self) -> None:
        for method, *path in [
            ("GET", "channels", "c1", "variable"),
            ("POST", "channels", "c1", "play", "p1"),
            ("DELETE", "playbacks", "p1"),
            ("DELETE", "channels", "c1"),
            ("POST", "channels", "c1", "continue"),
            ("GET", "channels"),
        ]:
            self.send(Request(method=method, path=tuple(path)))
        self.assertEqual(self.http.lines, [])

    def test_request_that_waits_for_no_sound_goes_over_the_websocket(self) -> None:
        path = ("channels", "c1", "variable")
        self.send(Request(method="POST", path=path, waits_for_sound=False))
        self.assertEqual(self.http.lines, [])

    def test_request_too_long_for_a_frame_goes_over_http(self) -> None:
        long = Request(method="POST", path=("x",), body="y" * MAX_FRAME_BYTES)
        answer = self.send(long)
        self.http.only_unanswered().accept(b"done")
        self.assertEqual(self.successResultOf(answer), b"done")
        self.assertEqual(self.lines, [PROBE])
        self.assert_goes_over(Transport.WEBSOCKET)

    def test_unanswered_request_makes_others_go_over_http(self) -> None:
        answer = self.send()
        self.clock.advance(TIMEOUT)
        self.failureResultOf(answer, RequestTimeoutError)
        self.assert_goes_over(Transport.HTTP)
        self.assertEqual(self.log.texts(), [OVER_WEBSOCKET, NO_LONGER])

    def test_fallback_is_logged_once_per_connection(self) -> None:
        for _ in range(2):
            answers = [self.send(), self.send()]
            self.clock.advance(TIMEOUT)
            for answer in answers:
                self.failureResultOf(answer, RequestTimeoutError)
            self.assert_goes_over(Transport.HTTP)
            self.transports.fail_pending()
            self.open()
            self.assert_goes_over(Transport.WEBSOCKET)
            self.answer()
        self.assertEqual(
            self.log.texts(), [OVER_WEBSOCKET, NO_LONGER] * 2 + [OVER_WEBSOCKET]
        )

    def test_response_after_the_fallback_changes_nothing(self) -> None:
        self.send()
        self.clock.advance(TIMEOUT / 2)
        other = self.send()
        self.clock.advance(TIMEOUT / 2)
        self.answer(1)
        self.answer(2, body="other")
        self.assertEqual(self.successResultOf(other), b"other")
        self.assert_goes_over(Transport.HTTP)

    def test_lost_connection_fails_pending_requests_without_a_fallback(self) -> None:
        answers = [self.send(), self.send()]
        self.transports.fail_pending()
        for answer in answers:
            self.failureResultOf(answer, ConnectionLostError)
        self.assert_goes_over(Transport.HTTP)
        self.assertEqual(self.log.texts(), [OVER_WEBSOCKET])

    def test_request_sent_during_the_loss_goes_over_http(self) -> None:
        self.transports.send(GET).addErrback(lambda _: self.send(HANGUP))
        self.transports.fail_pending()
        self.assertEqual(self.http.lines, ["DELETE channels/c1"])
        self.assertEqual(self.websocket.pending, 0)
        self.http.only_unanswered().accept()

    def test_pending_http_requests_fail_with_the_websocket(self) -> None:
        answer = self.transports.send(
            Request(method="POST", path=("channels", "c1", "answer"))
        )
        self.transports.fail_pending()
        self.failureResultOf(answer, ConnectionLostError)

    def test_cancelled_request_is_not_a_timeout(self) -> None:
        answer = self.send()
        answer.cancel()
        self.failureResultOf(answer, CancelledError)
        self.assert_goes_over(Transport.WEBSOCKET)


class ComparisonTests(RoutingTestCase):
    """While requests go over the websocket, and one is slow."""

    def setUp(self) -> None:
        super().setUp()
        self.open()

    def probe(self) -> Exchange:
        """Return the probe that compares the websocket with HTTP."""
        probe = self.http.only_unanswered()
        self.assertEqual(probe.line, PROBE)
        return probe

    def test_websocket_is_given_up_if_http_is_answered(self) -> None:
        answers = [self.send() for _ in range(3)]
        self.clock.advance(SLOW_SECONDS)
        self.probe().accept(b"{}")
        self.clock.advance(GRACE_SECONDS)
        for answer in answers:
            self.failureResultOf(answer, RequestTimeoutError)
        self.assert_goes_over(Transport.HTTP)
        self.assertEqual(self.log.texts(), [OVER_WEBSOCKET, NO_LONGER])

    def test_any_status_over_http_is_an_answer(self) -> None:
        self.send()
        self.clock.advance(SLOW_SECONDS)
        self.probe().refuse(404)
        self.clock.advance(GRACE_SECONDS)
        self.assert_goes_over(Transport.HTTP)

    def test_websocket_is_kept_if_http_is_slow_as_well(self) -> None:
        answer = self.send()
        self.clock.advance(SLOW_SECONDS)
        probe = self.probe()
        self.clock.advance(SLOW_SECONDS)
        self.assertIs(self.probe(), probe)
        probe.accept(b"{}")
        self.clock.advance(GRACE_SECONDS / 2)
        self.answer()
        self.successResultOf(answer)
        self.clock.advance(GRACE_SECONDS)
        self.assert_goes_over(Transport.WEBSOCKET)

    def test_websocket_is_kept_if_it_answers_another_request(self) -> None:
        waiting, answered = self.send(), self.send()
        self.clock.advance(SLOW_SECONDS)
        self.probe().accept(b"{}")
        self.answer()
        self.successResultOf(answered)
        self.clock.advance(GRACE_SECONDS)
        self.assertNoResult(waiting)
        self.assert_goes_over(Transport.WEBSOCKET)

    def test_websocket_is_kept_if_http_fails(self) -> None:
        answer = self.send()
        self.clock.advance(SLOW_SECONDS)
        self.probe().fail(ConnectionLostError)
        self.clock.advance(GRACE_SECONDS)
        self.assertNoResult(answer)
        self.assert_goes_over(Transport.WEBSOCKET)

    def test_lost_websocket_ends_the_comparison(self) -> None:
        self.send()
        self.clock.advance(SLOW_SECONDS)
        self.probe().accept(b"{}")
        self.transports.fail_pending()
        self.assertEqual(self.clock.getDelayedCalls(), [])
        self.open()
        self.clock.advance(GRACE_SECONDS)
        self.assert_goes_over(Transport.WEBSOCKET)

    def test_closing_ends_the_comparison(self) -> None:
        self.send()
        self.clock.advance(SLOW_SECONDS)
        self.successResultOf(self.transports.close())
        self.assertEqual(self.clock.getDelayedCalls(), [])


class HttpModeTests(RoutingTestCase):
    wanted = Transport.HTTP

    def test_http_mode_does_not_use_the_websocket(self) -> None:
        for _ in range(2):
            self.transports.probe()
            self.assert_goes_over(Transport.HTTP)
            self.transports.fail_pending()
        self.successResultOf(self.transports.close())
        self.assertEqual(self.frames, [])
        self.assertEqual(self.log.texts(), [])


class WebSocketModeTests(RoutingTestCase):
    wanted = Transport.WEBSOCKET

    def test_websocket_mode_is_auto_mode_if_asterisk_can(self) -> None:
        self.transports.probe()
        self.assert_goes_over(Transport.HTTP)
        self.answer(0)
        self.assert_goes_over(Transport.WEBSOCKET)
        self.assertEqual(self.log.texts(level=LogLevel.error), [])

    def test_websocket_mode_logs_an_error_once_if_asterisk_cannot(self) -> None:
        for _ in range(3):
            self.open_in_vain()
            self.assert_goes_over(Transport.HTTP)
            self.transports.fail_pending()
        [error] = self.log.texts()
        self.assertEqual(self.log.texts(level=LogLevel.error), [error])
        for words in ("does not serve requests over the websocket", "22.4", "HTTP"):
            self.assertIn(words, error)

    def test_error_is_logged_again_after_a_success(self) -> None:
        for opening in (self.open_in_vain, self.open, self.open_in_vain):
            opening()
            self.transports.fail_pending()
        self.assertEqual(len(self.log.texts(level=LogLevel.error)), 2)


class LimitTests(RoutingTestCase):
    def test_requests_above_the_limit_fail_at_once(self) -> None:
        self.patch(routing, "MAX_PENDING", 3)
        self.open()
        for _ in range(3):
            self.send()
        sent = len(self.frames), len(self.http.exchanges)
        error = self.failureResultOf(self.send(), AriError).value
        self.assertFalse(error.outcome_unknown)
        self.assertIn("not sent", str(error))
        self.assertEqual((len(self.frames), len(self.http.exchanges)), sent)
        self.answer(1)
        self.assertNoResult(self.send())
