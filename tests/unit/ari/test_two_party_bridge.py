"""A bridge of a caller and an outbound channel, until either leaves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from twisted.internet.defer import CancelledError
from twisted.logger import LogLevel

from channel_aa.ari.wire.errors import (
    ConnectionLostError,
    RequestTimeoutError,
    ServerError,
)
from channel_aa.interfaces import ChannelGoneError, TelephonyError
from tests.support.ari_cases import OutboundTestCase
from tests.support.ari_fakes import APP

if TYPE_CHECKING:
    from channel_aa.ari.outbound import OutboundChannel


class TwoPartyBridgeTests(OutboundTestCase):
    def answered(self) -> OutboundChannel:
        phone = self.dial()
        self.receive_channel("StasisStart", phone.id, args=[])
        return phone

    def connect(self, *, is_set_up: bool = True) -> OutboundChannel:
        phone = self.answered()
        self.overs: list[object] = []
        self.over = phone.connect()
        self.over.addBoth(self.overs.append)
        [self.bridge] = self.client.bridges
        if is_set_up:
            self.sender.only_unanswered().accept(b"{}")
            self.sender.only_unanswered().accept()
        return phone

    def leave_bridge(self, channel_id: str) -> None:
        self.receive(
            "ChannelLeftBridge", bridge={"id": self.bridge}, channel={"id": channel_id}
        )

    def answer_removals(self, *lines: str) -> None:
        self.assertEqual(
            {each.line for each in self.sender.unanswered}, set(lines), lines
        )
        for exchange in self.sender.unanswered:
            exchange.accept()

    def test_both_channels_are_added_to_one_bridge(self) -> None:
        phone = self.connect()
        self.assertEqual(
            self.sender.lines[1:],
            [
                f"POST bridges/{self.bridge}?type=mixing&name=channel-aa%20channel-aa",
                f"POST bridges/{self.bridge}/addChannel?channel=c1%2C{phone.id}",
            ],
        )
        self.assertEqual(self.overs, [])
        self.receive_channel("StasisEnd", phone.id)
        self.answer_removals(f"DELETE bridges/{self.bridge}")
        self.assertEqual(self.overs, [None])

    def test_existing_bridge_is_used(self) -> None:
        self.connect(is_set_up=False)
        self.sender.only_unanswered().refuse(409)
        self.sender.only_unanswered().accept()
        self.assertEqual(self.overs, [])
        self.end()

    def test_bridge_is_queried_before_channels_are_added_again(self) -> None:
        for there in ("both", "one", "who knows"):
            phone = self.connect(is_set_up=False)
            self.sender.only_unanswered().accept(b"{}")
            add = self.sender.only_unanswered()
            add.fail(RequestTimeoutError)
            question = self.sender.only_unanswered()
            self.assertEqual(question.line, f"GET bridges/{self.bridge}")
            answers = {
                "both": f'{{"id":"x","channels":["{phone.id}","c1"]}}',
                "one": '{"id":"x","channels":["c1"]}',
                "who knows": '{"id":"x","channels":7}',
            }
            question.accept(answers[there].encode())
            if there != "both":
                again = self.sender.only_unanswered()
                self.assertEqual(again.line, add.line)
                again.accept()
            self.assertEqual(self.sender.unanswered, [])
            self.end()

    def test_query_without_a_response_is_sent_again(self) -> None:
        phone = self.connect(is_set_up=False)
        self.sender.only_unanswered().accept(b"{}")
        self.sender.only_unanswered().fail(RequestTimeoutError)
        question = self.sender.only_unanswered()
        question.fail(RequestTimeoutError)
        self.clock.advance(1)
        again = self.sender.only_unanswered()
        self.assertEqual(again.line, question.line)
        again.accept(f'{{"id":"x","channels":["{phone.id}","c1"]}}'.encode())
        self.assertEqual(self.sender.unanswered, [])
        self.end()

    def test_failed_addition_is_an_error(self) -> None:
        phone = self.connect(is_set_up=False)
        self.sender.only_unanswered().accept(b"{}")
        for _ in range(2):
            self.sender.only_unanswered().fail(RequestTimeoutError)
            self.sender.only_unanswered().accept(b'{"id":"x","channels":[]}')
        self.sender.only_unanswered().fail(RequestTimeoutError)
        self.answer_removals(
            f"DELETE channels/{phone.id}", f"DELETE bridges/{self.bridge}"
        )
        [failure] = self.overs
        self.assertIsInstance(getattr(failure, "value", None), RequestTimeoutError)

    def end(self) -> None:
        """Let the caller leave the bridge, and answer the requests that follow."""
        self.leave_bridge("c1")
        for exchange in self.sender.unanswered:
            exchange.accept()
        self.assertEqual(self.overs, [None])
        self.overs.clear()

    def test_bridge_is_over_when_either_channel_leaves(self) -> None:
        for leaver in ("phone", "caller"):
            phone = self.connect()
            self.leave_bridge("somebody-else")
            self.assertEqual(self.sender.unanswered, [])
            self.leave_bridge(phone.id if leaver == "phone" else "c1")
            removals = [f"DELETE bridges/{self.bridge}"]
            if leaver == "caller":
                removals.append(f"DELETE channels/{phone.id}")
            self.answer_removals(*removals)
            self.receive_channel("StasisEnd", phone.id)
            self.assertEqual(self.overs, [None])
            self.assertEqual(self.client.bridges, {})
            self.assertIn("c1", self.client.channels)

    def test_callers_hangup_ends_the_bridge(self) -> None:
        phone = self.connect()
        self.receive_channel("ChannelHangupRequest")
        self.leave_bridge("c1")
        self.receive_channel("StasisEnd")
        self.answer_removals(
            f"DELETE channels/{phone.id}", f"DELETE bridges/{self.bridge}"
        )
        [failure] = self.overs
        error = getattr(failure, "value", None)
        self.assertIsInstance(error, ChannelGoneError)
        self.assertEqual(str(error), "the caller has hung up")

    def test_cancelling_ends_the_bridge(self) -> None:
        phone = self.connect()
        self.over.cancel()
        [failure] = self.overs
        self.assertIsInstance(getattr(failure, "value", None), CancelledError)
        self.answer_removals(
            f"DELETE channels/{phone.id}", f"DELETE bridges/{self.bridge}"
        )

    def test_cancelling_is_not_a_success_if_the_removal_is_immediate(self) -> None:
        phone = self.connect()
        self.sender.answers[f"DELETE channels/{phone.id}"] = b""
        self.sender.answers[f"DELETE bridges/{self.bridge}"] = b""
        self.over.cancel()
        [failure] = self.overs
        self.assertIsInstance(getattr(failure, "value", None), CancelledError)

    def test_cancelling_after_the_callers_hangup_is_still_a_cancellation(self) -> None:
        phone = self.connect()
        self.receive_channel("ChannelHangupRequest")
        self.over.cancel()
        [failure] = self.overs
        self.assertIsInstance(getattr(failure, "value", None), CancelledError)
        self.answer_removals(
            f"DELETE channels/{phone.id}", f"DELETE bridges/{self.bridge}"
        )

    def test_removal_that_ends_after_the_application_was_replaced(self) -> None:
        phone = self.connect()
        phone.hang_up()
        self.receive("ApplicationReplaced", application=APP)
        for exchange in self.sender.unanswered:
            exchange.accept()
        self.assertEqual(len(self.overs), 1)
        self.assertEqual(self.log.texts(level=LogLevel.critical), [])

    def test_bridge_is_removed_after_its_creation(self) -> None:
        phone = self.connect(is_set_up=False)
        making = self.sender.only_unanswered()
        phone.hang_up()
        self.assertEqual(
            [each.line for each in self.sender.unanswered[1:]],
            [f"DELETE channels/{phone.id}"],
        )
        self.sender.unanswered[1].accept()
        making.accept(b"{}")
        self.answer_removals(f"DELETE bridges/{self.bridge}")
        self.assertEqual(self.overs, [None])

    def test_missing_outbound_channel_ends_the_bridge(self) -> None:
        phone = self.connect(is_set_up=False)
        self.sender.only_unanswered().accept(b"{}")
        self.sender.only_unanswered().refuse(400, "Channel not found")
        self.answer_removals(
            f"DELETE channels/{phone.id}", f"DELETE bridges/{self.bridge}"
        )
        self.assertEqual(self.overs, [None])

    def test_failed_setup_is_an_error(self) -> None:
        phone = self.connect(is_set_up=False)
        self.sender.only_unanswered().refuse(500)
        self.answer_removals(
            f"DELETE channels/{phone.id}", f"DELETE bridges/{self.bridge}"
        )
        [failure] = self.overs
        self.assertIsInstance(getattr(failure, "value", None), ServerError)

    def test_setup_without_a_response_is_repeated(self) -> None:
        phone = self.connect(is_set_up=False)
        self.sender.only_unanswered().fail(ConnectionLostError)
        self.clock.advance(1)
        self.sender.only_unanswered().accept(b"{}")
        self.sender.only_unanswered().fail(ConnectionLostError, outcome_unknown=False)
        self.clock.advance(1)
        self.sender.only_unanswered().accept()
        self.assertEqual(self.overs, [])
        self.receive_channel("StasisEnd", phone.id)
        self.answer_removals(f"DELETE bridges/{self.bridge}")

    def test_only_answered_channels_can_be_connected(self) -> None:
        phone = self.dial()
        failure = self.failureResultOf(phone.connect(), TelephonyError)
        self.assertIn("has not answered", str(failure.value))
        self.receive_destroyed(phone)
        self.successResultOf(phone.connect())
        phone = self.connect()
        self.failureResultOf(phone.connect(), TelephonyError)
        self.receive_channel("StasisEnd")
        self.answer_removals(
            f"DELETE channels/{phone.id}", f"DELETE bridges/{self.bridge}"
        )
        failure = self.failureResultOf(phone.connect(), ChannelGoneError)
        self.assertEqual(str(failure.value), "the caller has hung up")

    def reconnect(self, *members: str) -> None:
        listed = ",".join(f'"{each}"' for each in members)
        name = self.client._context.bridge_name
        bridge = f'{{"id":"{self.bridge}","name":"{name}","channels":[{listed}]}}'
        self.sender.answers["GET bridges"] = f"[{bridge}]".encode()
        self.sender.answers["GET applications/channel-aa"] = (
            f'{{"channel_ids":[{listed}]}}'.encode()
        )
        self.connection.lose()
        self.connection.open()

    def test_bridge_outlasts_a_lost_connection(self) -> None:
        phone = self.connect()
        self.sender.answers[f"GET channels/{phone.id}"] = b'{"id":"x"}'
        self.reconnect("c1", phone.id)
        self.assertEqual(self.overs, [])
        self.assertEqual(self.sender.unanswered, [])
        self.receive_channel("StasisEnd", phone.id)
        self.answer_removals(f"DELETE bridges/{self.bridge}")

    def test_bridge_created_during_the_query_is_not_over(self) -> None:
        phone = self.connect(is_set_up=False)
        self.sender.only_unanswered().accept(b"{}")
        self.sender.answers[f"GET channels/{phone.id}"] = b'{"id":"x"}'
        self.sender.answers["GET applications/channel-aa"] = b'{"channel_ids":["c1"]}'
        del self.sender.answers["GET bridges"]
        self.connection.lose()
        self.connection.open()
        exchanges = {each.line.split("?")[0]: each for each in self.sender.unanswered}
        asked = exchanges[f"GET bridges/{self.bridge}"]
        asked.accept(f'{{"id":"x","channels":["c1","{phone.id}"]}}'.encode())
        name = self.client._context.bridge_name
        bridge = f'{{"id":"{self.bridge}","name":"{name}","channels":["c1"]}}'
        exchanges["GET bridges"].accept(f"[{bridge}]".encode())
        self.assertEqual(self.overs, [])
        self.receive_channel("StasisEnd", phone.id)
        self.answer_removals(f"DELETE bridges/{self.bridge}")

    def test_bridge_that_lost_a_channel_meanwhile_is_over(self) -> None:
        self.connect()
        self.reconnect("c1")
        self.assertEqual(self.client.outbound, {})
        self.answer_removals(f"DELETE bridges/{self.bridge}")
        self.assertEqual(self.overs, [None])

    def test_stopping_leaves_the_bridge(self) -> None:
        self.connect()
        self.successResultOf(self.client.stopService())
        [failure] = self.overs
        self.assertIsInstance(getattr(failure, "value", None), ChannelGoneError)
        self.assertEqual(self.sender.unanswered, [])
        self.assertFalse(any(line.startswith("DELETE") for line in self.sender.lines))
        self.assert_nothing_left()

    def test_stopping_hangs_up_a_ringing_channel(self) -> None:
        phone = self.dial()
        stopped = self.client.stopService()
        self.assertNoResult(stopped)
        self.is_hung_up(phone)
        self.successResultOf(stopped)

    def test_stopping_waits_for_a_limited_time(self) -> None:
        self.dial()
        stopped = self.client.stopService()
        self.clock.advance(2)
        self.successResultOf(stopped)
        self.assert_nothing_left()
