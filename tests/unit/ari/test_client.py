"""The client as a service: entering channels, requests, stopping."""

from __future__ import annotations

from typing import cast

from twisted.application.service import IService
from twisted.internet.defer import Deferred
from twisted.logger import LogLevel
from zope.interface.verify import verifyObject

from channel_aa.ari.reconcile import AUDIT_SECONDS
from channel_aa.ari.wire.errors import NotFoundError, UnauthorizedError
from channel_aa.ari.wire.requests import IRequestSender
from channel_aa.interfaces import PlaybackEnd
from tests.support.ari_fakes import APP, AriTestCase, FakeSender


class InterfaceTests(AriTestCase):
    def test_client_is_a_service(self) -> None:
        verifyObject(IService, self.client)
        verifyObject(IRequestSender, FakeSender())


class EntryTests(AriTestCase):
    def test_channel_enters_with_the_arguments_of_the_dialplan(self) -> None:
        self.receive_channel("StasisStart", args=["sales", "en"])
        self.assertEqual(self.application.entered, [("c1", ("sales", "en"))])
        self.assertEqual(self.client.channels["c1"].name, "PJSIP/c1")

    def test_channel_without_a_listener_continues_in_the_dialplan(self) -> None:
        self.application.is_raising = True
        self.receive_channel("StasisStart", args=[])
        self.assertEqual(len(self.flushLoggedErrors(RuntimeError)), 1)
        self.assertEqual(self.sender.lines, ["POST channels/c1/continue"])

    def test_channel_enters_once(self) -> None:
        channel = self.enter()
        self.receive_channel("StasisStart", args=[])
        self.assertIs(self.client.channels["c1"], channel)
        self.assertEqual(len(self.application.entered), 1)

    def test_channel_that_left_may_enter_again(self) -> None:
        first = self.enter()
        self.receive_channel("StasisEnd")
        self.assertIsNot(self.enter(), first)
        self.assertEqual(len(self.application.entered), 2)


class MessageTests(AriTestCase):
    def test_malformed_event_is_logged_once_for_each_kind(self) -> None:
        for _ in range(3):
            self.connection.message_received(b"hello")
            self.connection.message_received(b'{"type":"Unknown", garbage')
            self.connection.message_received(b"{}")
            self.receive("StasisStart")
            self.receive("StasisStart", channel={"id": 7})
            self.receive("PlaybackFinished", playback=None)
        lines = self.log.texts(level=LogLevel.error)
        kinds = [
            line.partition("without a log line: ")[2].partition(":")[0]
            for line in lines
        ]
        self.assertEqual(
            kinds, ["not JSON", "not an event", "StasisStart", "PlaybackFinished"]
        )

    def test_event_after_a_malformed_one_is_handled(self) -> None:
        self.connection.message_received(b"\xff")
        self.enter()
        self.assertEqual(len(self.application.entered), 1)

    def test_events_without_a_handler_are_ignored(self) -> None:
        self.receive("ContactStatusChange", contact_info={})
        self.receive("ChannelVarset", variable="a", value="b")
        self.receive_channel("ChannelStateChange")
        self.receive_channel("ChannelDialplan")
        self.assertEqual(self.log.texts(), [])
        self.assertEqual(self.client.channels, {})

    def test_replaced_application_is_an_error_that_says_what_to_do(self) -> None:
        self.receive("ApplicationReplaced", application=APP)
        [line] = self.log.texts(level=LogLevel.error)
        self.assertIn("registered the Stasis application channel-aa", line)
        self.assertIn("Give each program its own app", line)


class RequestTests(AriTestCase):
    def test_any_request_can_be_sent(self) -> None:
        answer = self.client.request(
            "POST", "channels", "c/1", "dtmf", query={"dtmf": "12#"}, body={"a": [1]}
        )
        exchange = self.sender.only_unanswered()
        self.assertEqual(exchange.line, "POST channels/c%2F1/dtmf?dtmf=12%23")
        self.assertEqual(exchange.request.body, {"a": [1]})
        exchange.accept(b'{"id":"c/1"}')
        self.assertEqual(self.successResultOf(answer), {"id": "c/1"})

    def test_empty_response_is_none(self) -> None:
        answer = self.client.request("DELETE", "channels", "c1")
        self.sender.only_unanswered().accept()
        self.assertIsNone(self.successResultOf(answer))

    def test_error_is_passed_on(self) -> None:
        answer = self.client.request("GET", "channels", "c1")
        self.sender.only_unanswered().refuse(404)
        self.failureResultOf(answer, NotFoundError)


class ConnectedTests(AriTestCase):
    def test_connected_since_is_the_time_of_the_opening_until_the_loss(self) -> None:
        self.assertEqual(self.client.connected_since, self.clock.seconds())
        self.assertTrue(self.client.is_connected)
        self.connection.lose()
        self.assertIsNone(self.client.connected_since)
        self.assertFalse(self.client.is_connected)
        self.clock.advance(5)
        self.connection.open()
        self.client.reconciler.stop()
        self.assertEqual(self.client.connected_since, 5)
        self.assertTrue(self.client.is_connected)


class ReadyTests(AriTestCase):
    def test_callback_is_called_at_each_connection(self) -> None:
        ready = []
        self.client._on_ready = lambda: ready.append(self.client.is_connected)
        for _ in range(2):
            self.connection.lose()
            self.connection.open()
        self.assertEqual(ready, [True, True])

    def test_callback_is_not_called_after_the_loss(self) -> None:
        ready = []
        self.client._on_ready = lambda: ready.append(True)
        self.connection.lose()
        del self.sender.answers["GET asterisk/info?only=system"]
        self.connection.open()
        self.connection.lose()
        self.assertEqual(ready, [])


class FilterTests(AriTestCase):
    def test_event_filter_is_set_at_each_connection(
        self,
    ) -> None:
        self.connection.lose()
        self.connection.open()
        first, again = self.sender.filters
        self.assertEqual(first, again)
        self.assertEqual(first.uri, f"applications/{APP}/eventFilter")
        self.assertEqual(first.method, "PUT")
        body = cast("dict[str, list[dict[str, str]]]", first.body)
        self.assertEqual(
            {each["type"] for each in body["allowed"]},
            {
                "ApplicationReplaced",
                "ChannelDestroyed",
                "ChannelDtmfReceived",
                "ChannelHangupRequest",
                "ChannelLeftBridge",
                "Dial",
                "PlaybackFinished",
                "PlaybackStarted",
                "RESTResponse",
                "RecordingFailed",
                "RecordingFinished",
                "StasisEnd",
                "StasisStart",
            },
        )


class RefusedTests(AriTestCase):
    """Asterisk lets the user do nothing, or only read."""

    def test_refused_event_filter_closes_the_connection(self) -> None:
        self.connection.lose()
        self.sender.filter_status = 403
        self.connection.open()
        self.assertEqual(self.connection.calls, ["start", "refuse"])
        self.assertFalse(self.client.is_connected)
        self.assertIn("read_only = no", self.client.problem)

    def test_refused_request_of_a_call_closes_the_connection_and_is_held(self) -> None:
        answer = self.enter().answer()
        self.sender.only_unanswered().refuse(401)
        self.clock.advance(0)
        self.assertEqual(self.connection.calls, ["start", "refuse"])
        self.assertIn("the section [alice] of ari.conf", self.client.problem)
        self.assertNoResult(answer)
        self.assertEqual(self.client.sender.held, 1)
        self.assertEqual(self.listener().log, [])
        self.sender.answers[f"GET applications/{APP}"] = b'{"channel_ids":["c1"]}'
        self.connection.open()
        self.sender.only_unanswered().accept()
        self.successResultOf(answer)
        self.client.reconciler.stop()

    def test_access_that_is_lost_is_found_out_by_the_audit(self) -> None:
        del self.sender.answers["DELETE playbacks/channel-aa-checks-access"]
        self.connection.lose()
        self.connection.open()
        self.clock.advance(AUDIT_SECONDS)
        self.sender.only_unanswered().refuse(404)
        self.assertTrue(self.client.is_connected)
        self.clock.advance(AUDIT_SECONDS)
        self.sender.only_unanswered().refuse(403)
        self.clock.advance(0)
        self.assertFalse(self.client.is_connected)
        self.assertIn("read_only = no", self.client.problem)
        # The next connection begins without it.
        self.assertEqual(self.client.sender.held, 0)

    def test_refused_request_of_the_program_is_its_own_concern(self) -> None:
        answer = self.client.request("PUT", "asterisk", "config", "dynamic")
        self.sender.only_unanswered().refuse(403)
        self.failureResultOf(answer, UnauthorizedError)
        self.assertTrue(self.client.is_connected)

    def test_access_is_checked_without_an_effect(self) -> None:
        del self.sender.answers["DELETE playbacks/channel-aa-checks-access"]
        for status, problem in (
            (404, None),
            (503, None),
            (403, "read_only = no"),
            (401, "key password"),
        ):
            checked = Deferred.fromCoroutine(self.connection.check_access())
            asked = self.sender.only_unanswered()
            self.assertEqual(asked.line, "DELETE playbacks/channel-aa-checks-access")
            asked.refuse(status)
            found = self.successResultOf(checked)
            if problem is None:
                self.assertIsNone(found)
            else:
                assert found is not None
                self.assertIn(problem, found.text)


class StopServiceTests(AriTestCase):
    def test_service_starts_and_stops_the_connection(self) -> None:
        self.assertEqual(self.connection.calls, ["start"])
        self.assertTrue(self.client.running)
        self.successResultOf(self.client.stopService())
        self.assertEqual(self.connection.calls, ["start", "stop"])
        self.assertFalse(self.client.running)
        self.assertTrue(self.sender.is_closed)

    def test_stopping_ends_the_calls_and_leaves_nothing(self) -> None:
        playing = self.play(self.enter("c1"))
        playing.request.accept()
        self.enter("c2")
        self.successResultOf(self.client.stopService())
        for channel_id in ("c1", "c2"):
            self.assertEqual(self.listener(channel_id).log, ["left"])
        self.assertEqual(playing.ends, [PlaybackEnd.FAILED])
        self.assertEqual(self.log.texts(level=LogLevel.warn), [])
        self.assert_nothing_left()

    def test_stopping_logs_no_error_of_pending_requests(self) -> None:
        asked = self.play(self.enter("c1"))
        stopped = self.play(self.enter("c2"))
        stopped.request.accept()
        stopped.playback.stop()
        checked = self.play(self.enter("c3"))
        checked.request.accept()
        self.clock.advance(10)
        self.assertEqual(self.sender.pending, 4)
        self.successResultOf(self.client.stopService())
        self.assertEqual(self.sender.pending, 0)
        for playing in (asked, stopped, checked):
            self.assertEqual(playing.ends, [PlaybackEnd.FAILED])
        self.assert_nothing_left()
        self.assertEqual(self.log.texts(level=LogLevel.critical), [])
        self.assertEqual(self.log.texts(level=LogLevel.error), [])

    def test_stopping_logs_no_error_of_pending_queries(self) -> None:
        self.enter()
        self.sender.answers.clear()
        self.connection.lose()
        self.connection.open()
        self.assertEqual(self.sender.pending, 2)
        self.successResultOf(self.client.stopService())
        self.assertEqual(self.sender.pending, 0)
        self.assert_nothing_left()
        self.assertEqual(self.log.texts(level=LogLevel.error), [])
