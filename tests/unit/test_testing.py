from __future__ import annotations

import tomllib
from datetime import datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest
from twisted.internet.task import deferLater
from twisted.trial.unittest import SynchronousTestCase

from channel_aa.attendant.call_events import CallEnded, CallEvent
from channel_aa.settings import AsteriskSettings, Secret, Settings
from channel_aa.simulator import ScriptError
from channel_aa.testing import SimulatedAttendant

if TYPE_CHECKING:
    from channel_aa.attendant.custom_actions import Caller

SETTINGS = Settings(
    asterisk=AsteriskSettings(app="shop", password=Secret("of the real one")),
    **tomllib.loads(
        """
        [menus.main]
        prompt = [{ say = "Welcome." }]
        options = { 1 = { run = "look-up" }, 2 = { run = "connect" } }
        [menus.night]
        prompt = ["we-are-closed"]
        [[routes]]
        schedule = "office"
        open = "main"
        closed = "night"
        [schedules.office]
        timezone = "Europe/London"
        open = ["mon-fri 09:00-17:00"]
        """
    ),
)


class SimulatedAttendantTests(SynchronousTestCase):
    def attendant(self, *, hour: int = 12) -> SimulatedAttendant:
        async def look_up(caller: Caller) -> str:
            await deferLater(attendant.clock, 2)
            await caller.play(*caller.say.number(21))
            return "hangup"

        async def connect(caller: Caller) -> str:
            self.is_answered = await caller.dial("PJSIP/410")
            return "hangup"

        attendant = SimulatedAttendant(
            SETTINGS,
            actions={"look-up": look_up, "connect": connect},
            phones={"PJSIP/410": "busy"},
            now=datetime(2026, 6, 1, hour, tzinfo=ZoneInfo("Europe/London")),
        )
        self.addCleanup(self.assertEqual, attendant.clock.getDelayedCalls(), [])
        self.addCleanup(attendant.stop)
        return attendant

    def test_call_runs_in_virtual_time(self) -> None:
        attendant = self.attendant()
        ended: list[CallEvent] = []
        attendant.service.observe(ended.append)
        caller = attendant.call("wait 0.2, press 1, ended", extension="1234")
        self.assertEqual(
            attendant.heard(caller), ['"Welcome."', "digits/20", "digits/1"]
        )
        self.assertEqual(caller.outcome, "hung up by application")
        self.assertIsInstance(ended[-1], CallEnded)

    def test_phones_behave_as_told(self) -> None:
        attendant = self.attendant()
        attendant.call("press 2, ended")
        self.assertFalse(self.is_answered)

    def test_schedules_follow_the_given_time(self) -> None:
        attendant = self.attendant(hour=20)
        caller = attendant.call("hear we-are-closed, hang up")
        self.assertEqual(attendant.heard(caller), ["we-are-closed"])

    def test_wait_for_a_sound_that_is_not_played_is_an_error(self) -> None:
        attendant = self.attendant()
        with self.assertRaisesRegex(ScriptError, "goodbye"):
            attendant.call("hear goodbye")

    def test_default_menu(self) -> None:
        attendant = SimulatedAttendant()
        self.addCleanup(attendant.stop)
        caller = attendant.call("hear or, press 2, hear digits/2, hang up")
        self.assertIn("you-entered", attendant.heard(caller))


def test_attendant_in_a_function_of_pytest() -> None:
    attendant = SimulatedAttendant()
    attendant.call("hear press-1, hang up")
    attendant.stop()
    with pytest.raises(ScriptError):
        attendant.call("hear press-1")
