"""A call in menus of a test's own, on a channel that is moved on by hand."""

from __future__ import annotations

import tomllib
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from twisted.internet.defer import Deferred, fail
from twisted.internet.task import Clock
from twisted.logger import capturedLogs, formatEvent
from twisted.trial.unittest import SynchronousTestCase

from channel_aa.attendant.attendant import Attendant
from channel_aa.interfaces import PlaybackEnd, TelephonyError
from channel_aa.menus.flow import CallFlow
from tests.support.attendant_fakes import FakeChannel

if TYPE_CHECKING:
    from collections.abc import Sequence

    from twisted.logger import LogEvent

    from channel_aa.attendant.call import Call

CHANNEL = "PJSIP/alice-00000001"
NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
PROMPT = ["press-1", "or", "press-2"]


def call_flow(text: str) -> CallFlow:
    """Read a call flow, in TOML."""
    return CallFlow(**tomllib.loads(text))


class CallTestCase(SynchronousTestCase):
    """A call in the menus of `FLOW`; the default menu, where that is empty."""

    FLOW = ""

    def setUp(self) -> None:
        self.clock = Clock()
        self.channel = FakeChannel(CHANNEL)
        self.attendant = Attendant(
            call_flow(self.FLOW), clock=self.clock, now=lambda: NOON
        )

    def tearDown(self) -> None:
        """Check that nothing is left of the call: no timer, no phone."""
        if self.attendant.calls or self.attendant.turned_away:
            self.call.left()
        self.assertEqual(self.clock.getDelayedCalls(), [])
        self.assertEqual(self.attendant.calls, set())
        self.assertEqual(self.attendant.turned_away, set())
        self.assertEqual(self.channel.busy_phones, [])

    def enter(self, *arguments: str) -> Call:
        self.call = self.attendant.channel_entered(self.channel, arguments)
        return self.call

    def close(self, drain_timeout: float = 0) -> Deferred[None]:
        return Deferred.fromCoroutine(self.attendant.close(drain_timeout=drain_timeout))

    def hear(self, *sounds: str) -> None:
        """Check what plays now, sound by sound, letting each play to its end."""
        for sound in sounds:
            self.assert_plays(sound)
            self.channel.end_sound()

    def hear_failing(self, *sounds: str) -> None:
        """Check what should play now, and cannot."""
        for sound in sounds:
            self.assert_plays(sound)
            self.channel.end_sound(PlaybackEnd.FAILED)

    def press(self, keys: str) -> None:
        """Press keys; the sound that one stops ends at once."""
        for key in keys:
            self.call.dtmf_received(key)
            playing = self.channel.playing
            if playing is not None and playing.stops:
                playing.end()

    def log_of(self, *keys: str) -> list[str]:
        """Press keys, and give what is logged meanwhile."""
        with capturedLogs() as events:
            for each in keys:
                self.press(each)
        return [str(formatEvent(event)) for event in events]

    def failing(self, why: str) -> Deferred[None]:
        """Answer a request with an error."""
        return fail(TelephonyError(why))

    def never(self) -> Deferred[None]:
        """Never answer a request."""
        return Deferred()

    def asked(self) -> list[str]:
        """Give what was asked of Asterisk since the last time."""
        asked = list(self.channel.log)
        self.channel.log.clear()
        return asked

    def assert_plays(self, sound: str) -> None:
        playing = self.channel.playing
        self.assertIsNotNone(playing, f"silence after {self.channel.heard}")
        assert playing is not None
        media = sound if ":" in sound else f"sound:{sound}"
        self.assertEqual(playing.media, media)

    def assert_silent(self) -> None:
        self.assertIsNone(self.channel.playing)

    def assert_logged(self, events: Sequence[LogEvent], *words: str) -> None:
        text = "\n".join(str(formatEvent(event)) for event in events)
        for each in words:
            self.assertIn(each, text)
