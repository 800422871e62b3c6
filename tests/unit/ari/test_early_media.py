"""Outbound channels whose early media the caller hears."""

from __future__ import annotations

from typing import TYPE_CHECKING

from twisted.internet.defer import CancelledError
from twisted.logger import LogLevel

from channel_aa.ari.wire.errors import RequestTimeoutError
from channel_aa.interfaces import ChannelGoneError, DialOutcome
from tests.support.ari_cases import OutboundTestCase

if TYPE_CHECKING:
    from channel_aa.ari.outbound import OutboundChannel

ANSWERED, BUSY = DialOutcome.ANSWERED, DialOutcome.BUSY
NO_ANSWER, UNAVAILABLE = DialOutcome.NO_ANSWER, DialOutcome.UNAVAILABLE


class EarlyMediaTestCase(OutboundTestCase):
    def create(self, *, label: str = "", is_withheld: bool = False) -> OutboundChannel:
        """Send the request that creates the channel."""
        phone = self.enter().dial(
            "PJSIP/410",
            ring_seconds=20,
            label=label,
            early_media=True,
            is_withheld=is_withheld,
        )
        self.outcomes = []
        phone.outcome.addBoth(self.outcomes.append)
        return phone

    def ring(self) -> OutboundChannel:
        """Create a channel, and dial it."""
        phone = self.create()
        self.sender.only_unanswered().accept(b"{}")
        self.assertEqual(self.sender.unanswered, [])
        self.receive_channel("StasisStart", phone.id, args=[])
        dialled = self.sender.only_unanswered()
        self.assertEqual(dialled.line, f"POST channels/{phone.id}/dial?timeout=20")
        dialled.accept()
        self.receive_dial(phone, "")
        return phone

    def bridge(self, phone: OutboundChannel) -> str:
        """Let it have early media; return the id of the bridge."""
        self.receive_dial(phone, "PROGRESS")
        made = self.sender.only_unanswered()
        bridge_id = made.request.path[1]
        made.accept(b"{}")
        added = self.sender.only_unanswered()
        self.assertEqual(
            added.line,
            f"POST bridges/{bridge_id}/addChannel?channel=c1%2C{phone.id}",
        )
        added.accept()
        return bridge_id

    def fail_dialling(self, phone: OutboundChannel, cause: int) -> None:
        """End its channel as Asterisk does."""
        for kind in ("ChannelHangupRequest", "StasisEnd"):
            self.receive_channel(kind, phone.id)
        self.receive_destroyed(phone, cause)

    def remove_bridge(self, bridge_id: str) -> None:
        """Answer the request to remove the bridge, which is the only pending one."""
        removal = self.sender.only_unanswered()
        self.assertEqual(removal.line, f"DELETE bridges/{bridge_id}")
        removal.accept()


class DialTests(EarlyMediaTestCase):
    def test_channel_is_created_with_what_the_phone_shows(self) -> None:
        phone = self.create(label="Sales")
        created = self.sender.only_unanswered()
        self.assertEqual(created.request.path, ("channels", "create"))
        self.assertEqual(
            created.request.query,
            {
                "endpoint": "PJSIP/410",
                "app": "channel-aa",
                "appArgs": phone.id,
                "channelId": phone.id,
                "originator": "c1",
            },
        )
        self.assertEqual(
            created.request.body,
            {
                "variables": {
                    "CONNECTEDLINE(name,i)": "Sales",
                    "CONNECTEDLINE(num,i)": "",
                    "CONNECTEDLINE(pres,i)": "allowed",
                }
            },
        )
        created.refuse(500, "Allocation failed")
        self.assertEqual(self.outcomes, [UNAVAILABLE])

    def test_withheld_number_stays_withheld(self) -> None:
        self.create(is_withheld=True)
        created = self.sender.only_unanswered()
        assert isinstance(created.request.body, dict)
        shown = created.request.body["variables"]
        self.assertEqual(shown["CONNECTEDLINE(pres,i)"], "prohib")
        created.refuse(500, "Allocation failed")

    def test_channel_may_enter_before_the_response(self) -> None:
        phone = self.create()
        self.receive_channel("StasisStart", phone.id, args=[])
        created, dialled = self.sender.unanswered
        self.assertEqual(dialled.line, f"POST channels/{phone.id}/dial?timeout=20")
        created.accept(b"{}")
        dialled.accept()
        self.receive_channel("StasisStart", phone.id, args=[])
        self.assertEqual(self.sender.unanswered, [])
        self.fail_dialling(phone, 17)
        self.assertEqual(self.outcomes, [BUSY])

    def test_answer_is_reported_by_dial(self) -> None:
        phone = self.ring()
        self.assertEqual(self.outcomes, [])
        self.receive_dial(phone, "ANSWER")
        self.assertEqual(self.outcomes, [ANSWERED])
        self.fail_dialling(phone, 16)

    def test_cause_gives_the_outcome(self) -> None:
        for cause, outcome in (
            (17, BUSY),
            (34, DialOutcome.CONGESTION),
            (21, NO_ANSWER),
            (19, NO_ANSWER),
            (16, NO_ANSWER),
            (1, UNAVAILABLE),
        ):
            phone = self.ring()
            self.receive_dial(phone, "BUSY")
            self.receive_channel("StasisEnd", phone.id)
            self.assertEqual(self.outcomes, [])
            self.receive_destroyed(phone, cause)
            self.assertEqual(self.outcomes, [outcome])
            self.assertEqual(self.client.outbound, {})

    def test_channel_that_ends_without_a_dial_is_unavailable(self) -> None:
        phone = self.create()
        self.sender.only_unanswered().accept(b"{}")
        self.receive_channel("StasisStart", phone.id, args=[])
        self.sender.only_unanswered().accept()
        self.fail_dialling(phone, 16)
        self.assertEqual(self.outcomes, [UNAVAILABLE])

    def test_refused_dial_is_logged_and_the_channel_hung_up(self) -> None:
        phone = self.create()
        self.sender.only_unanswered().accept(b"{}")
        self.receive_channel("StasisStart", phone.id, args=[])
        self.sender.only_unanswered().refuse(409, "too late")
        self.assertEqual(self.outcomes, [NO_ANSWER])
        [line] = self.log.texts(level=LogLevel.warn)
        self.assertIn("Could not dial PJSIP/410", line)
        self.is_hung_up(phone)

    def test_channel_is_not_dialled_again_without_a_response(self) -> None:
        """Asterisk would hang it up."""
        phone = self.create()
        self.sender.only_unanswered().accept(b"{}")
        self.receive_channel("StasisStart", phone.id, args=[])
        self.sender.only_unanswered().fail(RequestTimeoutError)
        self.assertEqual((self.sender.unanswered, self.outcomes), ([], []))
        self.clock.advance(25)
        self.sender.only_unanswered().accept(in_state(phone, "Ringing"))
        self.assertEqual(self.outcomes, [NO_ANSWER])
        self.is_hung_up(phone, "no_answer")

    def test_hangup_before_the_channel_has_entered(self) -> None:
        phone = self.create()
        phone.hang_up()
        self.sender.only_unanswered().accept(b"{}")
        hangup = self.sender.only_unanswered()
        self.receive_channel("StasisStart", phone.id, args=[])
        self.assertEqual(hangup.line, f"DELETE channels/{phone.id}")
        hangup.accept()
        self.assertEqual(self.outcomes, [NO_ANSWER])

    def test_end_that_was_not_reported_is_noticed(self) -> None:
        phone = self.ring()
        self.receive_channel("StasisEnd", phone.id)
        self.clock.advance(1)
        self.assertEqual(self.sender.only_unanswered().line, f"GET channels/{phone.id}")
        self.sender.only_unanswered().refuse(404)
        self.assertEqual(self.outcomes, [NO_ANSWER])


class BridgeTests(EarlyMediaTestCase):
    def test_conversation_goes_on_in_the_same_bridge(self) -> None:
        phone = self.ring()
        bridge_id = self.bridge(phone)
        self.receive_dial(phone, "PROGRESS")
        self.assertFalse(phone.is_bridged)
        self.receive_dial(phone, "ANSWER")
        self.assertTrue(phone.is_bridged)
        over = phone.connect()
        self.failureResultOf(phone.connect())
        self.assertEqual(self.sender.unanswered, [])
        self.fail_dialling(phone, 16)
        self.remove_bridge(bridge_id)
        self.successResultOf(over)

    def test_phone_that_answers_without_early_media_is_connected(self) -> None:
        phone = self.ring()
        self.receive_dial(phone, "ANSWER")
        over = phone.connect()
        self.sender.only_unanswered().accept(b"{}")
        self.sender.only_unanswered().accept()
        self.fail_dialling(phone, 16)
        self.remove_bridge(phone_bridge(phone))
        self.successResultOf(over)

    def test_outcome_fires_when_the_caller_has_left_the_bridge(self) -> None:
        phone = self.ring()
        bridge_id = self.bridge(phone)
        self.receive(
            "ChannelLeftBridge", bridge={"id": bridge_id}, channel={"id": phone.id}
        )
        self.fail_dialling(phone, 17)
        self.assertEqual(self.outcomes, [])
        self.remove_bridge(bridge_id)
        self.assertEqual(self.outcomes, [BUSY])
        self.assertEqual(self.client.bridges, {})

    def test_callers_hangup_ends_all(self) -> None:
        phone = self.ring()
        self.bridge(phone)
        self.receive_channel("ChannelHangupRequest")
        self.receive_channel("StasisEnd")
        self.assertEqual(self.outcomes, [NO_ANSWER])
        hangup, removal = self.sender.unanswered
        self.assertEqual(hangup.line, f"DELETE channels/{phone.id}")
        self.assertIn("DELETE bridges/", removal.line)
        hangup.accept()
        removal.accept()
        self.assertEqual(self.client.outbound, {})

    def test_early_media_after_the_callers_hangup_is_not_bridged(self) -> None:
        phone = self.ring()
        self.receive_channel("ChannelHangupRequest")
        self.receive_dial(phone, "PROGRESS")
        self.is_hung_up(phone)

    def test_caller_who_hangs_up_between_answer_and_connect(self) -> None:
        phone = self.ring()
        self.bridge(phone)
        self.receive_dial(phone, "ANSWER")
        self.receive_channel("ChannelHangupRequest")
        self.failureResultOf(phone.connect(), ChannelGoneError)
        for exchange in self.sender.unanswered:
            exchange.accept()
        self.assertEqual(self.client.bridges, {})

    def test_bridge_that_cannot_be_set_up_is_logged_and_the_phone_hung_up(self) -> None:
        phone = self.ring()
        self.receive_dial(phone, "PROGRESS")
        self.sender.only_unanswered().refuse(500, "no bridge")
        hangup, removal = self.sender.unanswered
        self.assertEqual(hangup.line, f"DELETE channels/{phone.id}")
        removal.accept()
        hangup.accept()
        self.assertEqual(self.outcomes, [NO_ANSWER])
        [line] = self.log.texts(level=LogLevel.warn)
        self.assertIn("Early media of PJSIP/410 cannot be heard: ", line)
        self.assertIn("no bridge", line)

    def test_conversation_is_cancelled(self) -> None:
        phone = self.ring()
        self.bridge(phone)
        self.receive_dial(phone, "ANSWER")
        over = phone.connect()
        over.cancel()
        self.failureResultOf(over, CancelledError)
        for exchange in self.sender.unanswered:
            exchange.accept()
        self.assertEqual((self.client.bridges, self.client.outbound), ({}, {}))

    def test_phone_that_picks_up_takes_its_place(self) -> None:
        for has_media in (False, True):
            phone = self.ring()
            if has_media:
                self.bridge(phone)
            old = phone.id
            self.receive(
                "StasisStart",
                channel={"id": "new", "name": "PJSIP/411-1", "state": "Up"},
                replace_channel={"id": old, "name": "PJSIP/410-1"},
                args=[],
            )
            self.receive_channel("StasisEnd", old)
            self.assertEqual(self.outcomes, [ANSWERED])
            self.assertEqual(phone.id, "new")
            self.receive_channel("StasisEnd", "new")
            for exchange in self.sender.unanswered:
                exchange.accept()

    def test_another_program_that_takes_over_ends_the_outcome(self) -> None:
        phone = self.ring()
        self.bridge(phone)
        self.receive("ApplicationReplaced", application="channel-aa")
        self.assertEqual(self.outcomes, [NO_ANSWER])
        self.assertEqual(self.sender.unanswered, [])
        self.assertEqual((self.client.bridges, self.client.outbound), ({}, {}))


class LostConnectionTests(EarlyMediaTestCase):
    def reconnect(self, phone: OutboundChannel) -> None:
        """Lose the connection, and open another one, which queries the phone."""
        body = f'{{"channel_ids":["c1","{phone.id}"]}}'.encode()
        self.sender.answers["GET applications/channel-aa"] = body
        self.connection.lose()
        self.connection.open()
        self.assertEqual(self.sender.only_unanswered().line, f"GET channels/{phone.id}")

    def test_phone_was_answered_meanwhile(self) -> None:
        phone = self.ring()
        self.reconnect(phone)
        self.sender.only_unanswered().accept(in_state(phone, "Up"))
        self.assertEqual(self.outcomes, [ANSWERED])
        self.fail_dialling(phone, 16)

    def test_phone_rings_on(self) -> None:
        phone = self.ring()
        self.reconnect(phone)
        self.sender.only_unanswered().accept(in_state(phone, "Ringing"))
        self.assertEqual((self.sender.unanswered, self.outcomes), ([], []))
        self.fail_dialling(phone, 17)
        self.assertEqual(self.outcomes, [BUSY])

    def test_channel_whose_entry_was_not_reported_is_dialled(self) -> None:
        phone = self.create()
        self.sender.only_unanswered().accept(b"{}")
        self.reconnect(phone)
        self.sender.only_unanswered().accept(in_state(phone, "Down"))
        dialled = self.sender.only_unanswered()
        self.assertEqual(dialled.line, f"POST channels/{phone.id}/dial?timeout=20")
        dialled.accept()
        self.fail_dialling(phone, 17)


def in_state(phone: OutboundChannel, state: str) -> bytes:
    """Make Asterisk's description of a phone that is in the application."""
    return (
        f'{{"id":"{phone.id}","state":"{state}","dialplan":{{"app_name":"Stasis"}}}}'
    ).encode()


def phone_bridge(phone: OutboundChannel) -> str:
    """Return the id of the bridge that a phone is in."""
    assert phone._bridge is not None
    return phone._bridge.id
