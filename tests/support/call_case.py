"""A test case for a call on a fake channel, with a call flow in TOML."""

from __future__ import annotations

import tomllib
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from twisted.internet.defer import Deferred, fail
from twisted.internet.task import Clock
from twisted.logger import capturedLogs, formatEvent
from twisted.trial.unittest import SynchronousTestCase

from channel_aa.attendant.attendant import Attendant
from channel_aa.attendant.call_log import log_call
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


def exit_of(reason: str, path: str) -> list[str]:
    """Return the requests with which a call that has been in menus goes on."""
    names = "ARRAY(CHANNEL_AA_REASON,CHANNEL_AA_PATH)"
    return [f"set {names}={reason},{path}", "continue"]


def lines_of(events: Sequence[LogEvent]) -> list[str]:
    """Format log events, without the lines of `log_call` about a call as a whole."""
    return [
        str(formatEvent(event))
        for event in events
        if event["log_namespace"] != log_call.__module__
    ]


class CallTestCase(SynchronousTestCase):
    """A call in the call flow `FLOW`; if that is empty, in the default menu."""

    FLOW = ""

    def setUp(self) -> None:
        self.clock = Clock()
        self.channel = FakeChannel(CHANNEL)
        self.attendant = Attendant(
            call_flow(self.FLOW), clock=self.clock, now=lambda: NOON
        )

    def tearDown(self) -> None:
        """Check that the call has left no timer and no phone."""
        if self.attendant.calls or self.attendant.rejected:
            self.call.left()
        self.assertEqual(self.clock.getDelayedCalls(), [])
        self.assertEqual(self.attendant.calls, set())
        self.assertEqual(self.attendant.rejected, set())
        self.assertEqual(self.channel.phones_in_use, [])

    def enter(self, *arguments: str) -> Call:
        self.call = self.attendant.channel_entered(self.channel, arguments)
        return self.call

    def close(self, drain_timeout: float = 0) -> Deferred[None]:
        return Deferred.fromCoroutine(self.attendant.close(drain_timeout=drain_timeout))

    def hear(self, *sounds: str) -> None:
        """Check that these sounds play one after another, each to its end."""
        for sound in sounds:
            self.assert_plays(sound)
            self.channel.end_sound()

    def hear_failing(self, *sounds: str) -> None:
        """Check that these sounds are played one after another, and let each fail."""
        for sound in sounds:
            self.assert_plays(sound)
            self.channel.end_sound(PlaybackEnd.FAILED)

    def press_in_the_menu(self, keys: str) -> list[str]:
        """Enter the menu ``main``, press keys, and return the requests that follow."""
        self.enter()
        self.hear("main")
        self.sent()
        self.press(keys)
        return self.sent()

    def press(self, keys: str) -> None:
        """Press keys; a sound that one stops ends at once."""
        for key in keys:
            self.call.dtmf_received(key)
            playing = self.channel.playing
            if playing is not None and playing.stops:
                playing.end()

    def log_of(self, *keys: str) -> list[str]:
        """Press keys, and return the log lines."""
        with capturedLogs() as events:
            for each in keys:
                self.press(each)
        return lines_of(events)

    def failed(self, why: str) -> Deferred[None]:
        """Return the result of a request that Asterisk answers with an error."""
        return fail(TelephonyError(why))

    def unanswered(self) -> Deferred[None]:
        """Return the result of a request without an answer."""
        return Deferred()

    def sent(self) -> list[str]:
        """Return and forget the requests so far."""
        requests = list(self.channel.log)
        self.channel.log.clear()
        return requests

    def assert_plays(self, sound: str) -> None:
        playing = self.channel.playing
        self.assertIsNotNone(playing, f"silence after {self.channel.heard}")
        assert playing is not None
        media = sound if ":" in sound else f"sound:{sound}"
        self.assertEqual(playing.media, media)

    def assert_finished(self) -> None:
        """Check that the call's coroutine has ended, and not with an error."""
        assert self.call._finished is not None
        self.successResultOf(self.call._finished)

    def assert_silent(self) -> None:
        self.assertIsNone(self.channel.playing)

    def assert_logged(self, events: Sequence[LogEvent], *words: str) -> None:
        text = "\n".join(str(formatEvent(event)) for event in events)
        for each in words:
            self.assertIn(each, text)
