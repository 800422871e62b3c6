"""Phones that transfer and pick up calls of the attendant, on the simulator.

`tests/contract/test_transfers.py` holds the simulator's events to Asterisk's.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from channel_aa.attendant.attendant import Attendant
from channel_aa.simulator import SimulatedCaller, Simulator
from channel_aa.simulator.in_memory import InMemoryLink, pass_time, wait_for
from tests.support.call_case import call_flow

if TYPE_CHECKING:
    from collections.abc import Callable

    from channel_aa.simulator.simulated_phone import SimulatedPhone

FLOW = """
[menus.main]
prompt = ["press-1"]
[menus.main.options]
1 = { dial = "PJSIP/410", then = { play = ["goodbye"], then = "hangup" } }
2 = "shop"
[menus.shop]
prompt = ["press-2"]
[[routes]]
argument = "shop"
to = "shop"
"""
THIRD = "PJSIP/411"


class TransferredCallTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.simulator = Simulator(reactor=self.clock, phones={THIRD: "answers 2"})
        self.attendant = Attendant(
            call_flow(FLOW),
            clock=self.clock,
            now=lambda: datetime(2026, 6, 1, tzinfo=UTC),
        )
        self.attendant.open()
        link = InMemoryLink(self.simulator, clock=self.clock)
        self.client = link.client(self.attendant)
        self.client.startService()
        self.until(lambda: self.client.is_connected)

    def tearDown(self) -> None:
        self.until(lambda: not self.attendant.calls)
        self.until(lambda: not self.simulator.state.bridges)
        self.assertEqual(self.client.outbound, {})
        self.assertEqual(self.simulator.live_channels, 0)
        wait_for(self.clock, self.client.stopService(), seconds=60)

    def until(self, condition: Callable[[], bool]) -> None:
        pass_time(self.clock, until=condition, seconds=60)

    def dial(self, phone: str) -> SimulatedCaller:
        """Let a caller choose the option that dials the phone."""
        self.simulator.phones.change("PJSIP/410", phone)
        caller = self.simulator.call(app="channel-aa", caller_number="0123")
        self.until(lambda: bool(caller.heard))
        caller.press("1")
        return caller

    def converse(self, phone: str) -> tuple[SimulatedCaller, SimulatedPhone]:
        caller = self.dial(phone)
        self.until_hears(caller, "voice:PJSIP/410")
        [dialled] = self.simulator.dialled_phones
        return caller, dialled

    def until_hears(self, party: SimulatedCaller, *media: str) -> None:
        """Wait until a caller hears this, last."""
        self.until(
            lambda: (
                [each.media for each in party.heard if each.ended is None]
                == list(media)
            )
        )

    def until_hears_last(self, phone: SimulatedPhone, media: str) -> None:
        self.until(lambda: phone.heard[-1:] == [media])

    def until_up(self, phone: SimulatedPhone) -> None:
        self.until(lambda: phone.channel.state == "Up")

    def test_phone_transfers_the_caller_and_the_third_party_hangs_up(self) -> None:
        caller = self.dial("answers transfers-to PJSIP/411 after 5")
        self.until_hears(caller, "voice:Local/411@default")
        [third] = self.simulator.dialled_phones
        self.assertEqual(third.channel.state, "Ringing")
        self.until_up(third)
        self.assertEqual(third.heard, ["voice:PJSIP/alice"])
        third.hang_up()
        self.until(lambda: caller.is_over)
        self.assertEqual(caller.heard[-1].media, "sound:goodbye")

    def test_callers_hangup_after_a_transfer_hangs_up_the_third_party(self) -> None:
        caller, phone = self.converse("answers")
        third = phone.transfer(THIRD, attended=True)
        self.until_hears(caller, "voice:Local/_attended@transfer")
        caller.hang_up()
        self.until(lambda: bool(third.outcome))
        self.assertEqual(third.outcome, "hung up by application")

    def test_call_goes_on_with_the_one_whom_the_caller_transferred_to(self) -> None:
        for attended in (True, False):
            caller, phone = self.converse("answers")
            third = caller.transfer(THIRD, attended=attended)
            self.assertEqual(caller.outcome, "transferred to PJSIP/411")
            self.until_up(third)
            self.assertEqual(third.heard, ["voice:PJSIP/410"])
            phone.hang_up()
            self.until_hears_last(third, "sound:goodbye")
            self.until(lambda: not self.simulator.live_channels)

    def test_third_party_that_is_busy_ends_the_conversation(self) -> None:
        self.simulator.phones.change(THIRD, "busy")
        caller, phone = self.converse("answers")
        third = phone.transfer(THIRD)
        self.until(lambda: caller.is_over)
        self.assertEqual(third.outcome, "busy")
        self.assertEqual(caller.heard[-1].media, "sound:goodbye")

    def test_transferred_conversation_is_transferred_again(self) -> None:
        caller, phone = self.converse("answers")
        third = phone.transfer(THIRD, attended=True)
        self.until_hears(caller, "voice:Local/_attended@transfer")
        fourth = third.transfer("PJSIP/411")
        self.until_hears(caller, "voice:Local/411@default")
        caller.hang_up()
        self.until(lambda: bool(fourth.outcome))

    def test_phone_that_picks_up_speaks_with_the_caller(self) -> None:
        caller = self.dial("answers 2 at PJSIP/411")
        self.until_hears(caller, "voice:PJSIP/411")
        [third] = self.simulator.dialled_phones
        third.hang_up()
        self.until(lambda: caller.is_over)
        self.assertEqual(caller.heard[-1].media, "sound:goodbye")

    def test_caller_transferred_to_the_attendant_enters_the_menu_of_the_argument(
        self,
    ) -> None:
        receptionist = self.simulator.call(args=("shop",))
        self.until_hears(receptionist, "sound:press-2")
        caller = self.simulator.call(app="", dialplan_seconds=600)
        receptionist.be_replaced_by(caller)
        self.assertEqual(receptionist.outcome, "hung up by caller")
        self.until_hears(caller, "sound:press-2")
        caller.hang_up()

    def test_phone_outside_of_a_conversation_cannot_transfer(self) -> None:
        caller = self.dial("rings")
        self.until_hears(caller, "ringing")
        [phone] = self.simulator.dialled_phones
        self.assertRaises(ValueError, phone.transfer, THIRD)
        phone.answer()
        self.assertRaises(ValueError, phone.be_picked_up, THIRD)
        caller.hang_up()
        elsewhere = self.simulator.call(app="")
        self.assertRaises(ValueError, elsewhere.be_replaced_by, elsewhere)
