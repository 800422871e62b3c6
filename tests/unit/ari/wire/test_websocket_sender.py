"""Requests over the websocket: frames, responses by id, timeouts, the queue."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from twisted.internet.defer import CancelledError
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from channel_aa.ari.wire.errors import (
    AriError,
    ConflictError,
    ConnectionLostError,
    ForbiddenError,
    NotFoundError,
    RequestTimeoutError,
    ServerError,
    UnauthorizedError,
)
from channel_aa.ari.wire.requests import IRequestSender, Request
from channel_aa.ari.wire.websocket import text_frame
from channel_aa.ari.wire.websocket_sender import (
    MAX_FRAME_BYTES,
    FrameTooLongError,
    RESTResponse,
    WebSocketSender,
)

if TYPE_CHECKING:
    from twisted.internet.defer import Deferred

TIMEOUT = 10.0
TIMERS = 1
"""For all requests, slow ones and those that time out."""


def get(name: str = "c1") -> Request:
    return Request(method="GET", path=("channels", name))


class Answer:
    """The outcome of a request: its body, or its error."""

    def __init__(self, waiting: Deferred[bytes]) -> None:
        self.waiting = waiting
        self.results: list[Any] = []
        waiting.addCallbacks(
            self.results.append, lambda failure: self.results.append(failure.value)
        )

    @property
    def error(self) -> AriError:
        [error] = self.results
        assert isinstance(error, AriError), error
        return error


class SenderTestCase(SynchronousTestCase):
    """A sender on a `Clock`; no timer may be left."""

    max_in_flight = 1000

    def setUp(self) -> None:
        self.clock = Clock()
        self.frames: list[bytes] = []
        self.sender = WebSocketSender(
            self.frames.append,
            clock=self.clock,
            conceal=str,
            timeout=TIMEOUT,
            max_in_flight=self.max_in_flight,
        )

    def tearDown(self) -> None:
        self.sender.fail_pending()
        self.assert_nothing_left()

    def assert_nothing_left(self) -> None:
        self.assertEqual((self.sender.pending, self.sender.queued), (0, 0))
        self.assertEqual(self.clock.getDelayedCalls(), [])

    @property
    def messages(self) -> list[dict[str, Any]]:
        return [json.loads(frame) for frame in self.frames]

    @property
    def sent(self) -> list[str]:
        """The names of the requested channels, in the order of the frames."""
        return [each["uri"].removeprefix("channels/") for each in self.messages]

    def pass_time(self, seconds: float) -> None:
        """Let time pass second by second, as it does for a reactor."""
        whole = int(seconds)
        self.clock.pump([*[1.0] * whole, seconds - whole])

    def send(self, name: str = "c1") -> Answer:
        return Answer(self.sender.send(get(name)))

    def answer(self, place: int, status: int = 200, body: str = "") -> None:
        """Answer the request in the frame at that place."""
        self.sender.receive(
            RESTResponse(
                request_id=self.messages[place]["request_id"],
                status_code=status,
                message_body=body,
            )
        )


class FrameTests(SenderTestCase):
    def test_sender_provides_its_interface(self) -> None:
        verifyObject(IRequestSender, self.sender)

    def test_request_without_a_body_has_its_method_and_uri(self) -> None:
        path = ("channels", "c/1", "play", "p1")
        request = Request(method="POST", path=path, query={"media": "sound:press-1"})
        Answer(self.sender.send(request))
        [message] = self.messages
        number = message.pop("request_id")
        self.assertIsInstance(number, str)
        self.assertEqual(
            message,
            {
                "type": "RESTRequest",
                "method": "POST",
                "uri": request.uri,
            },
        )

    def test_body_is_json_in_a_text(self) -> None:
        body = {"variables": {"name": 'Zoë "Z"'}}
        path = ("channels", "c1", "variables")
        Answer(self.sender.send(Request(method="PUT", path=path, body=body)))
        [message] = self.messages
        self.assertEqual(message["content_type"], "application/json")
        self.assertEqual(json.loads(message["message_body"]), body)

    def test_empty_body_is_sent(self) -> None:
        Answer(self.sender.send(Request(method="PUT", path=("x",), body={})))
        self.assertEqual(self.messages[0]["message_body"], "{}")

    def test_each_request_has_an_id_of_its_own(self) -> None:
        for _ in range(20):
            self.send()
        self.assertEqual(len({each["request_id"] for each in self.messages}), 20)

    def test_only_a_longer_frame_than_the_longest_is_refused(self) -> None:
        self.send("x")
        longest = "x" * (MAX_FRAME_BYTES - len(self.frames[0]) + 1)
        self.send(longest)
        self.assertEqual(len(self.frames[1]), MAX_FRAME_BYTES)
        self.assertEqual(len(text_frame(self.frames[1], bytes(4))), 65_535)
        pending = self.sender.pending
        with self.assertRaises(FrameTooLongError) as caught:
            self.sender.send(get(f"{longest}x"))
        self.assertIn("GET channels/xxx", str(caught.exception))
        self.assertEqual(len(self.frames), 2)
        self.assertEqual(self.sender.pending, pending)

    def test_too_long_request_is_not_pending(self) -> None:
        too_long = Request(method="PUT", path=("x",), body="ö" * MAX_FRAME_BYTES)
        self.assertRaises(FrameTooLongError, self.sender.send, too_long)
        self.assertEqual(self.frames, [])
        self.assert_nothing_left()


class AnswerTests(SenderTestCase):
    def test_responses_may_arrive_in_any_order(self) -> None:
        answers = [self.send(name) for name in ("a", "b", "c")]
        for place in (1, 2, 0):
            self.answer(place, body=f"body {place}")
            self.assertEqual(answers[place].results, [f"body {place}".encode()])
        self.assert_nothing_left()

    def test_each_2xx_status_is_a_success(self) -> None:
        for place, status in enumerate((200, 201, 202, 204, 299)):
            answer = self.send()
            self.answer(place, status, "ö")
            self.assertEqual(answer.results, ["ö".encode()])

    def test_other_statuses_are_the_errors_of_http(self) -> None:
        kinds = {
            199: AriError,
            301: AriError,
            400: AriError,
            401: UnauthorizedError,
            403: ForbiddenError,
            404: NotFoundError,
            409: ConflictError,
            412: ConflictError,
            500: ServerError,
            503: ServerError,
        }
        for place, (status, kind) in enumerate(kinds.items()):
            with self.subTest(status=status):
                answer = self.send("c/1")
                self.answer(place, status, '{"message":"no luck"}')
                self.assertIs(type(answer.error), kind)
                self.assertEqual(answer.error.status, status)
                self.assertFalse(answer.error.outcome_unknown)
                self.assertEqual(
                    str(answer.error), f"GET channels/c%2F1: {status} no luck"
                )

    def test_unexpected_response_is_ignored(self) -> None:
        self.sender.receive(RESTResponse(request_id="", status_code=200))
        self.sender.receive(RESTResponse(request_id="99", status_code=404))
        answer = self.send()
        self.answer(0, body="first")
        self.answer(0, body="second")
        self.assertEqual(answer.results, [b"first"])
        self.assert_nothing_left()

    def test_late_response_is_ignored(self) -> None:
        answer = self.send()
        self.pass_time(TIMEOUT)
        self.answer(0)
        self.assertIsInstance(answer.error, RequestTimeoutError)

    def test_callback_may_send_the_next_request(self) -> None:
        answers: list[Answer] = []
        first = self.sender.send(get("a"))
        first.addCallback(lambda _: answers.append(self.send("b")))
        self.answer(0)
        self.answer(1, body="b")
        self.assertEqual(answers[0].results, [b"b"])
        self.assert_nothing_left()


class TimeoutTests(SenderTestCase):
    def test_unanswered_request_times_out(self) -> None:
        answer = self.send()
        self.pass_time(TIMEOUT - 0.1)
        self.assertEqual(answer.results, [])
        self.pass_time(0.1)
        self.assertIsInstance(answer.error, RequestTimeoutError)
        self.assertTrue(answer.error.outcome_unknown)
        self.assertEqual(
            str(answer.error),
            "GET channels/c1: no answer within 10 seconds (Asterisk may have executed"
            " it)",
        )
        self.assert_nothing_left()

    def test_requests_share_a_timer(self) -> None:
        answers = []
        for name in ("a", "b", "c"):
            answers.append(self.send(name))
            self.assertEqual(len(self.clock.getDelayedCalls()), TIMERS)
            self.pass_time(1)
        self.pass_time(TIMEOUT - 4)
        for over in range(1, 4):
            self.pass_time(1)
            self.assertEqual(
                [len(each.results) for each in answers], [1] * over + [0] * (3 - over)
            )
            timers = len(self.clock.getDelayedCalls())
            self.assertEqual(timers, TIMERS if over < 3 else 0)

    def test_response_to_one_request_does_not_shorten_the_time_of_another(self) -> None:
        self.send("a")
        self.pass_time(6)
        late = self.send("b")
        self.answer(0)
        self.pass_time(TIMEOUT - 0.5)
        self.assertEqual(late.results, [])
        self.pass_time(0.5)
        self.assertIsInstance(late.error, RequestTimeoutError)

    def test_timers_are_gone_when_nothing_is_pending(self) -> None:
        self.send("a")
        self.send("b")
        self.answer(1)
        self.assertEqual(len(self.clock.getDelayedCalls()), TIMERS)
        self.answer(0)
        self.assert_nothing_left()

    def test_request_sent_by_an_errback_has_its_full_time(self) -> None:
        again: list[Answer] = []
        self.sender.send(get("a")).addErrback(lambda _: again.append(self.send("b")))
        self.pass_time(1)
        other = self.send("c")
        self.pass_time(TIMEOUT - 1)
        self.assertEqual(len(self.clock.getDelayedCalls()), TIMERS)
        self.pass_time(1)
        self.assertIsInstance(other.error, RequestTimeoutError)
        self.assertEqual(again[0].results, [])
        self.assertEqual(len(self.clock.getDelayedCalls()), TIMERS)
        self.pass_time(TIMEOUT - 1)
        self.assertIsInstance(again[0].error, RequestTimeoutError)
        self.assert_nothing_left()

    def test_repeated_request_needs_no_more_timers(self) -> None:
        answers: list[Deferred[bytes]] = []

        def again(_: object) -> None:
            if len(answers) < 5:
                waiting = self.sender.send(get())
                answers.append(waiting)
                waiting.addErrback(again)

        again(None)
        for _ in range(4):
            self.pass_time(TIMEOUT)
            self.assertEqual(len(self.clock.getDelayedCalls()), TIMERS)
        self.pass_time(TIMEOUT)
        self.assert_nothing_left()

    def test_skipped_request_times_out_early(self) -> None:
        first, second = self.send("a"), self.send("b")
        self.answer(1)
        self.pass_time(0.9)
        self.assertEqual(first.results, [])
        self.pass_time(0.1)
        self.assertIsInstance(first.error, RequestTimeoutError)
        self.assertTrue(first.error.outcome_unknown)
        self.assertIn("Asterisk answered a later request", str(first.error))
        self.assertEqual(len(second.results), 1)
        self.assert_nothing_left()

    def test_on_slow_is_called_each_second(self) -> None:
        told: list[int] = []
        self.sender.on_slow = lambda: told.append(len(told))
        self.send("a")
        for seconds in (1, 2, 3):
            self.pass_time(1)
            self.assertEqual(len(told), seconds)
        self.answer(0)
        self.assert_nothing_left()

    def test_time_out_pending_fails_all(self) -> None:
        answers = [self.send(name) for name in ("a", "b", "c", "d", "e")]
        self.sender.time_out_pending()
        for answer in answers:
            self.assertIsInstance(answer.error, RequestTimeoutError)
        self.assert_nothing_left()

    def test_errback_of_a_timeout_may_cancel_another_request(self) -> None:
        second: list[Answer] = []
        self.sender.send(get("a")).addErrback(lambda _: second[0].waiting.cancel())
        second.append(self.send("b"))
        third = self.send("c")
        self.pass_time(TIMEOUT)
        self.assertIsInstance(second[0].results[0], CancelledError)
        self.assertIsInstance(third.error, RequestTimeoutError)


class QueueTests(SenderTestCase):
    max_in_flight = 2

    def test_no_more_than_the_maximum_are_in_flight(self) -> None:
        answers = [self.send(name) for name in "abcde"]
        self.assertEqual(self.sent, ["a", "b"])
        self.assertEqual((self.sender.pending, self.sender.queued), (5, 3))
        self.answer(1)
        self.assertEqual(self.sent, ["a", "b", "c"])
        self.assertEqual((self.sender.pending, self.sender.queued), (4, 2))
        for place in (0, 2, 3, 4):
            self.answer(place)
        self.assertEqual(self.sent, list("abcde"))
        self.assertEqual([each.results for each in answers], [[b""]] * 5)
        self.assert_nothing_left()

    def test_order_is_kept(self) -> None:
        names = [str(number) for number in range(20)]
        for name in names:
            self.send(name)
        for place in range(20):
            self.answer(place)
        self.assertEqual(self.sent, names)

    def test_request_sent_by_a_callback_queues_behind_others(self) -> None:
        for name in "ab":
            self.sender.send(get(name)).addCallback(lambda _: self.send("late"))
        self.send("c")
        self.send("d")
        for place in range(4):
            self.answer(place)
        self.assertEqual(self.sent, ["a", "b", "c", "d", "late", "late"])

    def test_outcome_of_a_queued_request_is_known(self) -> None:
        answers = [self.send(name) for name in "abcd"]
        self.pass_time(TIMEOUT)
        self.assertEqual(
            [each.error.outcome_unknown for each in answers], [True, True, False, False]
        )
        self.assertEqual(self.sent, ["a", "b"])
        self.assert_nothing_left()

    def test_timeout_includes_the_time_in_the_queue(self) -> None:
        self.send("a")
        self.pass_time(4)
        self.send("b")
        late = self.send("c")
        self.pass_time(6)
        self.assertEqual(self.sent, ["a", "b", "c"])
        self.assertEqual(late.results, [])
        self.pass_time(4)
        self.assertIsInstance(late.error, RequestTimeoutError)
        self.assertTrue(late.error.outcome_unknown)

    def test_cancelled_request_lets_the_next_be_sent(self) -> None:
        first = self.send("a")
        self.send("b")
        third = self.send("c")
        first.waiting.cancel()
        self.assertIsInstance(first.results[0], CancelledError)
        self.assertEqual(self.sent, ["a", "b", "c"])
        self.answer(0)
        self.answer(2, body="c")
        self.assertEqual(third.results, [b"c"])
        self.assertEqual(len(first.results), 1)

    def test_cancelled_request_in_the_queue_is_not_sent(self) -> None:
        self.send("a")
        self.send("b")
        waiting = self.send("c")
        self.send("d")
        waiting.waiting.cancel()
        self.assertIsInstance(waiting.results[0], CancelledError)
        self.assertEqual((self.sender.pending, self.sender.queued), (3, 1))
        for place in range(3):
            self.answer(place)
        self.assertEqual(self.sent, ["a", "b", "d"])
        self.assert_nothing_left()


class LostTests(SenderTestCase):
    max_in_flight = 2

    def test_loss_fails_every_request(self) -> None:
        answers = [self.send(name) for name in "abcd"]
        self.sender.fail_pending()
        for answer in answers:
            self.assertIsInstance(answer.error, ConnectionLostError)
        self.assertEqual(
            [each.error.outcome_unknown for each in answers], [True, True, False, False]
        )
        self.assertIn("the websocket closed", str(answers[0].error))
        self.assertEqual(self.sent, ["a", "b"])
        self.assert_nothing_left()

    def test_requests_sent_by_errbacks_stay_pending(self) -> None:
        again: list[Answer] = []
        for name in "abc":
            self.sender.send(get(name)).addErrback(
                lambda _: again.append(self.send("again"))
            )
        self.sender.fail_pending()
        self.assertEqual([each.results for each in again], [[]] * 3)
        self.assertEqual((self.sender.pending, self.sender.queued), (3, 1))
        self.assertEqual(self.sent, ["a", "b", "again", "again"])
        self.answer(2)
        self.answer(3)
        self.answer(4)
        self.assertEqual([each.results for each in again], [[b""]] * 3)
        self.assert_nothing_left()

    def test_errback_of_a_loss_may_cancel_other_requests(self) -> None:
        """A call that ends cancels its requests."""
        others: list[Answer] = []

        def give_up(_: object) -> None:
            for other in others:
                other.waiting.cancel()

        self.sender.send(get("a")).addErrback(give_up)
        others += [self.send("b"), self.send("c")]
        last = self.send("d")
        self.sender.fail_pending()
        for other in others:
            self.assertIsInstance(other.results[0], CancelledError)
        self.assertIsInstance(last.error, ConnectionLostError)

    def test_sender_can_be_used_after_a_loss(self) -> None:
        self.sender.fail_pending()
        answer = self.send("a")
        self.answer(0)
        self.assertEqual(answer.results, [b""])

    def test_response_to_an_earlier_connection_is_ignored(self) -> None:
        before = self.send("a")
        self.sender.fail_pending()
        now = self.send("b")
        self.answer(0)
        self.assertEqual((len(before.results), now.results), (1, []))

    def test_closing_cancels_pending_requests(self) -> None:
        answers = [self.send(name) for name in "abcd"]
        self.assertIsNone(self.successResultOf(self.sender.close()))
        for answer in answers:
            self.assertIsInstance(answer.results[0], CancelledError)
        self.assertEqual(self.sent, ["a", "b"])
        self.assert_nothing_left()
