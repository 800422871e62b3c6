"""Transfers, pickups and redirects: channels that take the place of others.

The order of the events is that of Asterisk 22.10.1; see docs/asterisk.md.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from channel_aa.ari.channel import UNFOUND_SECONDS, UNFOUND_TRIES
from channel_aa.ari.events import CallerId, ChannelData
from channel_aa.ari.outbound import ANSWERED_ELSEWHERE, LEFT_SECONDS
from channel_aa.ari.wire.errors import NotFoundError, RequestTimeoutError
from channel_aa.interfaces import ChannelGoneError, DialOutcome
from tests.support.ari_cases import OutboundTestCase, ReconcileTestCase, in_stasis

if TYPE_CHECKING:
    from channel_aa.ari.channel import Channel
    from channel_aa.ari.outbound import OutboundChannel

TARGET = "t1"
"""The id of the channel that takes another's place."""

UNFOUND = "Provided channel was not found"


class TransferTestCase(OutboundTestCase, ReconcileTestCase):
    """A caller, c1, in a conversation with a phone."""

    def connect(self) -> OutboundChannel:
        phone = self.dial()
        self.receive_channel("StasisStart", phone.id, args=[phone.id])
        self.connect_with(phone)
        return phone

    def connect_with(self, phone: OutboundChannel) -> None:
        self.overs: list[object] = []
        phone.connect().addBoth(self.overs.append)
        [self.bridge] = self.client.bridges
        self.sender.only_unanswered().accept(b"{}")
        self.sender.only_unanswered().accept()

    def transfer(self, old: str, new: str = TARGET) -> None:
        """Receive the events of a transfer by a channel of a conversation."""
        replaced = {
            "id": old,
            "name": f"PJSIP/{old}",
            "dialplan": {"app_name": "Stasis", "app_data": "channel-aa"},
        }
        self.receive_channel("StasisStart", new, args=[], replace_channel=replaced)
        self.leave_bridge(old)
        self.receive_channel("ChannelHangupRequest", old)
        self.receive_channel("StasisEnd", old)
        self.receive_channel("ChannelDestroyed", old, cause=16)

    def leave_bridge(self, channel_id: str) -> None:
        self.receive(
            "ChannelLeftBridge", bridge={"id": self.bridge}, channel={"id": channel_id}
        )

    def assert_removals(self, *paths: str) -> None:
        """Check that these, and nothing else, are being removed; and confirm it."""
        self.assertEqual(set(self.lines()), {f"DELETE {path}" for path in paths})
        for exchange in self.sender.unanswered:
            exchange.accept()


class TransferTests(TransferTestCase):
    def test_transfer_by_the_phone_keeps_the_conversation(self) -> None:
        phone = self.connect()
        self.transfer(phone.id)
        self.assertEqual((self.overs, self.lines()), ([], []))
        self.assertEqual(list(self.client.channels), ["c1"])
        self.leave_bridge(TARGET)
        self.receive_channel("StasisEnd", TARGET)
        self.assert_removals(f"bridges/{self.bridge}")
        self.assertEqual(self.overs, [None])
        self.assertEqual(self.client.outbound, {})

    def test_callers_hangup_after_it_hangs_up_the_new_channel(self) -> None:
        phone = self.connect()
        self.transfer(phone.id)
        self.receive_channel("ChannelHangupRequest", "c1")
        self.leave_bridge("c1")
        self.receive_channel("StasisEnd", "c1")
        self.assert_removals(f"bridges/{self.bridge}", f"channels/{TARGET}")

    def test_transfer_by_the_caller_keeps_the_conversation(self) -> None:
        phone = self.connect()
        channel = self.client.channels["c1"]
        self.transfer("c1")
        self.assertEqual((self.overs, self.lines()), ([], []))
        self.assertEqual(self.client.channels, {TARGET: channel})
        self.assertEqual((channel.id, channel.name), (TARGET, f"PJSIP/{TARGET}"))
        self.assertEqual(self.listener().log, [])
        self.leave_bridge(phone.id)
        self.receive_channel("StasisEnd", phone.id)
        self.assert_removals(f"bridges/{self.bridge}")
        self.assertEqual(self.overs, [None])

    def test_new_caller_has_the_name_and_number_of_its_channel(self) -> None:
        channel = self.enter()
        for shown in (CallerId("Ann", "555"), CallerId()):
            channel.replaced_by(ChannelData(id=TARGET, name="x", caller=shown))
            found = CallerId(channel.caller_name, channel.caller_number)
            self.assertEqual(found, shown)
        self.receive_channel("StasisEnd", TARGET)

    def test_new_caller_is_the_one_that_the_call_controls(self) -> None:
        phone = self.connect()
        self.transfer("c1")
        self.receive_channel("StasisEnd", phone.id)
        self.assert_removals(f"bridges/{self.bridge}")
        self.client.channels[TARGET].hang_up()
        self.assert_removals(f"channels/{TARGET}")
        self.receive_channel("StasisEnd", TARGET)
        self.assertIn("left", self.listener().log)

    def test_both_sides_transfer_one_after_the_other(self) -> None:
        phone = self.connect()
        self.transfer(phone.id, "t1")
        self.transfer("c1", "t2")
        self.transfer("t1", "t3")
        self.assertEqual((self.overs, self.lines()), ([], []))
        self.receive_channel("StasisEnd", "t2")
        self.assert_removals(f"bridges/{self.bridge}", "channels/t3")

    def test_transfer_after_the_callers_hangup_leaves_nothing(self) -> None:
        phone = self.connect()
        self.receive_channel("StasisEnd", "c1")
        self.assert_removals(f"bridges/{self.bridge}", f"channels/{phone.id}")
        phone = self.connect()
        phone.hang_up()
        self.receive_channel(
            "StasisStart", TARGET, args=[], replace_channel={"id": phone.id}
        )
        self.assert_removals(
            f"bridges/{self.bridge}", f"channels/{phone.id}", f"channels/{TARGET}"
        )

    def test_transfer_is_logged(self) -> None:
        phone = self.connect()
        self.transfer(phone.id)
        self.assertIn(
            "PJSIP/410 was transferred; PJSIP/t1 takes its place", self.log.texts()
        )
        self.receive_channel("StasisEnd", "c1")
        self.assert_removals(f"bridges/{self.bridge}", f"channels/{TARGET}")


class TransferToTheAttendantTests(TransferTestCase):
    def enter_in_place(self) -> Channel:
        """Let a channel enter in the place of another."""
        dialplan = {"app_name": "Stasis", "app_data": "channel-aa"}
        self.receive_channel(
            "StasisStart",
            TARGET,
            args=[],
            replace_channel={"id": "r1", "name": "PJSIP/r1", "dialplan": dialplan},
        )
        return self.client.channels[TARGET]

    def test_request_that_comes_too_early_is_sent_again(self) -> None:
        value = self.enter_in_place().get_variable("X")
        self.sender.only_unanswered().refuse(404, UNFOUND)
        self.assertEqual(
            (self.lines(), self.application.listeners[TARGET].log), ([], [])
        )
        self.clock.advance(UNFOUND_SECONDS)
        self.sender.only_unanswered().accept(b'{"value":"en"}')
        self.assertEqual(self.successResultOf(value), "en")

    def test_request_of_a_transferred_caller_is_sent_again(self) -> None:
        phone = self.connect()
        self.transfer("c1")
        hangup = self.client.channels[TARGET].hang_up()
        self.sender.only_unanswered().refuse(404, UNFOUND)
        self.clock.advance(UNFOUND_SECONDS)
        self.sender.only_unanswered().accept()
        self.successResultOf(hangup)
        self.receive_channel("StasisEnd", TARGET)
        self.assert_removals(f"bridges/{self.bridge}", f"channels/{phone.id}")

    def test_unset_variable_is_known_at_once(self) -> None:
        value = self.enter_in_place().get_variable("X")
        self.sender.only_unanswered().refuse(404, "Provided variable was not found")
        self.assertEqual(self.successResultOf(value), "")

    def test_channel_that_is_never_found_is_gone(self) -> None:
        value = self.enter_in_place().get_variable("X")
        for _ in range(UNFOUND_TRIES):
            self.sender.only_unanswered().refuse(404, UNFOUND)
            self.clock.advance(UNFOUND_SECONDS)
        self.sender.only_unanswered().refuse(404, UNFOUND)
        self.failureResultOf(value, ChannelGoneError)
        self.assertNotIn(TARGET, self.client.channels)

    def test_channel_that_is_not_found_after_its_end_is_gone(self) -> None:
        value = self.enter_in_place().get_variable("X")
        self.receive_channel("StasisEnd", TARGET)
        self.sender.only_unanswered().refuse(404, UNFOUND)
        self.failureResultOf(value, ChannelGoneError)

    def test_transferred_caller_enters_where_the_other_party_is(self) -> None:
        self.enter("c1")
        dialplan = {
            "context": "default",
            "exten": "1001",
            "app_name": "Stasis",
            "app_data": "channel-aa,shop,2",
        }
        self.receive_channel(
            "StasisStart",
            TARGET,
            args=[],
            replace_channel={"id": "c1", "name": "PJSIP/c1", "dialplan": dialplan},
        )
        self.receive_channel("StasisEnd", "c1")
        self.assertEqual(list(self.client.channels), [TARGET])
        self.assertEqual(self.client.channels[TARGET].dialled, "1001")
        self.assertEqual(self.application.entered[-1], (TARGET, ("shop", "2")))

    def test_place_of_an_unknown_phone_is_left_alone(self) -> None:
        self.receive_channel(
            "StasisStart",
            TARGET,
            args=[],
            replace_channel={"id": "channel-aa-dialled-old-1"},
        )
        self.assertEqual((self.application.entered, self.lines()), ([], []))


class PickupTests(TransferTestCase):
    def pick_up(self, phone: OutboundChannel) -> None:
        self.receive_channel("StasisStart", TARGET, args=[phone.id])

    def test_phone_that_picks_up_has_answered(self) -> None:
        phone = self.dial()
        ringing = phone.id
        self.receive_dial(phone, "RINGING")
        self.receive_channel("ChannelHangupRequest", ringing)
        self.pick_up(phone)
        self.receive_channel("ChannelDestroyed", ringing, cause=ANSWERED_ELSEWHERE)
        self.assertEqual(self.outcomes, [DialOutcome.ANSWERED])
        self.connect_with(phone)
        self.assertIn(f"channel=c1%2C{TARGET}", self.sender.lines[-1])
        self.receive_channel("StasisEnd", "c1")
        self.assert_removals(f"bridges/{self.bridge}", f"channels/{TARGET}")

    def test_end_of_the_ringing_channel_may_come_first(self) -> None:
        phone = self.dial()
        self.receive_channel("ChannelDestroyed", phone.id, cause=ANSWERED_ELSEWHERE)
        self.assertEqual(self.outcomes, [])
        self.pick_up(phone)
        self.assertEqual(self.outcomes, [DialOutcome.ANSWERED])
        self.assertEqual(self.timers, [])
        self.receive_channel("StasisEnd", TARGET)

    def test_answer_elsewhere_without_another_channel_is_no_answer(self) -> None:
        phone = self.dial()
        self.receive_channel("ChannelDestroyed", phone.id, cause=ANSWERED_ELSEWHERE)
        self.clock.advance(LEFT_SECONDS)
        self.assertEqual(self.lines(), [f"GET channels/{phone.id}"])
        self.sender.only_unanswered().refuse(404)
        self.assertEqual(self.outcomes, [DialOutcome.NO_ANSWER])

    def test_pickup_after_a_hangup_is_hung_up(self) -> None:
        phone = self.dial()
        phone.hang_up()
        self.pick_up(phone)
        self.assert_removals(f"channels/{phone.id}", f"channels/{TARGET}")

    def test_pickup_while_nothing_was_heard_is_an_answer(self) -> None:
        phone = self.dial()
        ringing = phone.id
        self.sender.answers["GET channels/t1"] = in_stasis(
            TARGET, f"channel-aa,{ringing}"
        )
        self.reconnect("c1", TARGET)
        self.assertEqual(self.outcomes, [DialOutcome.ANSWERED])
        self.receive_channel("StasisEnd", TARGET)


class RedirectTests(TransferTestCase):
    def leave(self) -> OutboundChannel:
        phone = self.connect()
        self.leave_bridge(phone.id)
        self.assert_removals(f"bridges/{self.bridge}")
        self.assertEqual(self.overs, [None])
        return phone

    def found(self, app_name: str, app_data: str) -> None:
        self.clock.advance(LEFT_SECONDS)
        dialplan = {"app_name": app_name, "app_data": app_data}
        body = json.dumps({"id": "x", "dialplan": dialplan}).encode()
        self.sender.only_unanswered().accept(body)

    def test_phone_that_has_left_the_application_is_left_alone(self) -> None:
        phone = self.leave()
        phone.hang_up()
        self.receive_channel("StasisEnd", phone.id)
        self.assertEqual(self.lines(), [])
        self.assert_nothing_left_but_the_caller()

    def test_phone_found_elsewhere_is_left_alone(self) -> None:
        for place in (("Playback", "x"), ("Stasis", "other")):
            self.leave()
            self.found(*place)
            self.assertEqual(self.lines(), [])
            self.assert_nothing_left_but_the_caller()

    def test_phone_found_in_the_application_is_hung_up(self) -> None:
        phone = self.leave()
        self.found("Stasis", f"channel-aa,{phone.id}")
        self.assert_removals(f"channels/{phone.id}")

    def test_phone_is_forgotten_if_it_cannot_be_found_out(self) -> None:
        self.leave()
        for _ in range(3):
            self.clock.advance(LEFT_SECONDS)
            self.sender.only_unanswered().fail(RequestTimeoutError)
        self.assert_nothing_left_but_the_caller()

    def assert_nothing_left_but_the_caller(self) -> None:
        self.receive_channel("StasisEnd", "c1")
        self.assert_nothing_left()


class ReconnectTests(TransferTestCase):
    def reconnect_with(self, *members: str) -> None:
        name = self.client._context.bridge_name
        bridge = {"id": self.bridge, "name": name, "channels": members}
        self.sender.answers["GET bridges"] = json.dumps([bridge]).encode()
        self.sender.answers[f"GET channels/{TARGET}"] = in_stasis(TARGET)
        self.reconnect(*members)
        for exchange in self.sender.unanswered:
            exchange.accept(in_stasis("x"))

    def test_phones_transfer_while_nothing_was_heard_is_followed(self) -> None:
        self.connect()
        self.reconnect_with("c1", TARGET)
        self.assertEqual((self.overs, self.lines()), ([], []))
        self.assertEqual(list(self.client.outbound), [TARGET])
        self.receive_channel("StasisEnd", "c1")
        self.assert_removals(f"bridges/{self.bridge}", f"channels/{TARGET}")

    def test_callers_transfer_while_nothing_was_heard_is_followed(self) -> None:
        phone = self.connect()
        self.reconnect_with(phone.id, TARGET)
        self.assertEqual((self.overs, self.lines()), ([], []))
        self.assertEqual(list(self.client.channels), [TARGET])
        self.receive_channel("StasisEnd", phone.id)
        self.assert_removals(f"bridges/{self.bridge}")
        self.assertEqual(self.overs, [None])

    def test_request_that_finds_no_channel_ends_no_conversation(self) -> None:
        """The caller has transferred, and the reconciliation will find it."""
        phone = self.connect()
        value = self.client.channels["c1"].get_variable("X")
        for _ in range(UNFOUND_TRIES):
            self.sender.only_unanswered().refuse(404, UNFOUND)
            self.clock.advance(UNFOUND_SECONDS)
        self.sender.only_unanswered().refuse(404, UNFOUND)
        self.failureResultOf(value, NotFoundError)
        self.assertEqual((self.overs, self.lines()), ([], []))
        self.assertEqual(list(self.client.channels), ["c1"])
        self.receive_channel("StasisEnd", "c1")
        self.assert_removals(f"bridges/{self.bridge}", f"channels/{phone.id}")

    def test_request_finds_the_channel_to_which_the_caller_has_transferred(
        self,
    ) -> None:
        phone = self.connect()
        value = self.client.channels["c1"].get_variable("X")
        self.sender.only_unanswered().refuse(404, UNFOUND)
        self.transfer("c1")
        self.clock.advance(UNFOUND_SECONDS)
        request = self.sender.only_unanswered()
        self.assertEqual(request.line, f"GET channels/{TARGET}/variable?variable=X")
        request.accept(b'{"value":"en"}')
        self.assertEqual(self.successResultOf(value), "en")
        self.receive_channel("StasisEnd", TARGET)
        self.assert_removals(f"bridges/{self.bridge}", f"channels/{phone.id}")

    def test_audit_during_a_transfer_ends_nothing(self) -> None:
        phone = self.connect()
        old = phone.id
        del self.sender.answers["GET applications/channel-aa"]
        self.client.reconciler.audit()
        listing = self.sender.only_unanswered()
        self.transfer(old)
        listing.accept(json.dumps({"channel_ids": ["c1", old]}).encode())
        self.assertEqual((self.overs, self.lines()), ([], []))
        self.client.reconciler.stop()
        self.receive_channel("StasisEnd", "c1")
        self.assert_removals(f"bridges/{self.bridge}", f"channels/{TARGET}")

    def test_transferred_conversation_of_an_earlier_run_is_adopted(self) -> None:
        self.list_bridges(channel_aa_bridge_old_1=["c1", TARGET])
        self.reconnect("c1", TARGET)
        self.assertEqual((self.application.entered, self.lines()), ([], []))
        self.receive_channel("StasisEnd", TARGET)
        self.assert_removals("bridges/channel-aa-bridge-old-1", "channels/c1")

    def test_deserted_party_of_a_transfer_is_hung_up(self) -> None:
        self.list_bridges(channel_aa_bridge_old_1=[TARGET])
        self.reconnect(TARGET)
        self.assert_removals("bridges/channel-aa-bridge-old-1")
        channel = json.loads(in_stasis(TARGET)) | {"name": "Local/carol@phones-1;1"}
        self.sender.only_unanswered().accept(json.dumps(channel).encode())
        self.assert_removals(f"channels/{TARGET}")
        self.assertEqual(self.application.entered, [])
