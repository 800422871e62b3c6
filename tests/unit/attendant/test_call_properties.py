"""A call under random events ends, and leaves nothing behind.

The events come from the caller, phones, Asterisk and the clock, in any order, in a
call flow with every action. `FakeChannel` fails if a sound is played over another.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from channel_aa.attendant.attendant import Attendant
from channel_aa.attendant.call_events import EndReason
from channel_aa.interfaces import (
    ChannelGoneError,
    DialOutcome,
    PlaybackEnd,
    RecordingEnd,
    TelephonyError,
)
from tests.support.attendant_fakes import FakeChannel
from tests.support.call_case import NOON, call_flow

if TYPE_CHECKING:
    from collections.abc import Callable

    from channel_aa.attendant.custom_actions import Caller

FLOW = call_flow("""
max_call_seconds = 600
[menus.main]
greeting = [{ media = ["law"], barge_in = false }]
prompt = ["main", { media = ["tone:ring"], seconds = 2 }]
max_noinput = 2
max_nomatch = 3
failure = { dial = "PJSIP/400", else = "hangup" }
[menus.main.options]
1 = { play = ["you-entered", "digits:{digits}"] }
2 = { menu = "other" }
21 = { dial = "PJSIP/410", then = "other" }
22 = { dial = ["PJSIP/410", "PJSIP/411"], music = "jazz", else = "record" }
23 = { dial = ["PJSIP/410", "PJSIP/411"], strategy = "ringall" }
3 = "record"
4 = { voicemail = "410" }
5 = { continue = { context = "internal" } }
6 = { set = { A = "1", B = "{digits}" }, then = { language = "fr" } }
7 = { run = "custom", timeout = 5, else = "back" }
"*" = "back"
0 = "hangup"
[menus.other]
prompt = ["other"]
language = "de"
options = { "1" = "top", "2" = "main", "*" = "back", "7" = { run = "custom" } }
[actions]
record = { record = "{date}", then = { play = ["recording:{recording}"] } }
""")
MENU_SECONDS = 600


class UnreliableChannel(FakeChannel):
    """A channel whose requests succeed, fail, or wait for `respond`, by its `mode`."""

    def __init__(self) -> None:
        super().__init__()
        self.mode = "success"
        self.unanswered: list[Deferred[None]] = []

    def answer(self) -> Deferred[None]:
        return self._request("answer")

    def continue_in_dialplan(
        self, *, context: str = "", extension: str = "", priority: int = 0
    ) -> Deferred[None]:
        return self._request("continue")

    def respond(self, mode: str) -> None:
        """Answer the oldest request without an answer."""
        waiting = [each for each in self.unanswered if not each.called]
        self.unanswered = waiting[1:]
        if waiting and mode == "success":
            waiting[0].callback(None)
        elif waiting:
            waiting[0].errback(self._error(mode))

    def _request(self, line: str) -> Deferred[None]:
        self.log.append(line)
        if self.mode == "success":
            return succeed(None)
        if self.mode == "silent":
            self.unanswered.append(Deferred())
            return self.unanswered[-1]
        return fail(self._error(self.mode))

    def _error(self, mode: str) -> TelephonyError:
        return ChannelGoneError("404") if mode == "gone" else TelephonyError("500")


class RandomCall:
    """A call, and the events that may happen to it."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.channel = UnreliableChannel()
        self.custom_answers: list[Deferred[str]] = []
        self.kept: list[str] = []
        self.attendant = Attendant(
            FLOW, clock=self.clock, now=lambda: NOON, actions={"custom": self.custom}
        )
        self.call = self.attendant.channel_entered(self.channel, ())

    async def custom(self, caller: Caller) -> str:
        await caller.play("custom")
        self.custom_answers.append(Deferred())
        return await self.custom_answers[-1]

    def apply(self, kind: str, detail: str) -> None:
        """Let an event happen, if it is possible now."""
        handlers: dict[str, Callable[[str], None]] = {
            "press": self.press,
            "sound": self.end_sound,
            "pass": lambda seconds: self.clock.advance(float(seconds)),
            "phone": self.end_ringing,
            "callee": self.end_conversation,
            "record": self.end_recording,
            "custom": self.end_custom,
            "mode": lambda mode: setattr(self.channel, "mode", mode),
            "answer": self.channel.respond,
            "call": lambda name: getattr(self.call, name)(),
            "exit": lambda reason: self.exit(EndReason(reason)),
        }
        handlers[kind](detail)

    def press(self, keys: str) -> None:
        for key in keys:
            self.call.dtmf_received(key)

    def exit(self, reason: EndReason) -> None:
        if self.call.is_in_conversation:
            self.kept += self.channel.phones_in_use
        self.call.exit_to_dialplan(reason)

    def end_sound(self, end: str) -> None:
        if self.channel.playing is not None:
            self.channel.end_sound(PlaybackEnd(end))

    def end_ringing(self, outcome: str) -> None:
        for phone in self.channel.phones:
            if not phone.outcome.called:
                phone.end_dialling(DialOutcome(outcome))
                return

    def end_conversation(self, _detail: str) -> None:
        for phone in self.channel.phones:
            if phone.connected is not None and phone.is_in_use:
                phone.callee_hangs_up()

    def end_recording(self, end: str) -> None:
        for recording in self.channel.recordings:
            if not recording.finished.called:
                recording.end(RecordingEnd(end))

    def end_custom(self, answer: str) -> None:
        for each in self.custom_answers:
            if not each.called:
                each.callback(answer)

    @property
    def is_over(self) -> bool:
        """Whether the coroutine of the call has ended."""
        finished = self.call._finished
        return finished is not None and bool(finished.called)

    def let_everything_end(self) -> None:
        """Let sounds, phones and requests end, while the caller does nothing."""
        self.channel.mode = "success"
        for _ in range(100):
            self.channel.respond("success")
            self.end_sound("done")
            self.end_ringing("NOANSWER")
            self.end_conversation("")
            self.end_recording("done")
            self.end_custom("repeat")
        self.clock.advance(5)

    def leftovers(self) -> list[object]:
        """List what a call should not leave behind."""
        channel = self.channel
        return [
            *self.clock.getDelayedCalls(),
            *(each for each in channel.phones_in_use if each not in self.kept),
            *(each.media for each in channel.playbacks if not each.finished.called),
            *(each.name for each in channel.recordings if not each.finished.called),
            *(each for each in self.custom_answers if not each.called),
            *self.attendant.calls,
        ]


def event(kind: str, *details: str) -> st.SearchStrategy[tuple[str, str]]:
    return st.tuples(st.just(kind), st.sampled_from(details))


def event_lists(*answers: str) -> st.SearchStrategy[list[tuple[str, str]]]:
    """Generate lists of events, with these late answers to requests."""
    return st.lists(
        st.one_of(
            event("press", *"1234567*#0", "21", "22", "23", "99", "1" * 100),
            event("sound", "done", "done", "failed"),
            event("pass", "0.5", "2", "10", "60"),
            event("phone", *(outcome.value for outcome in DialOutcome)),
            event("phone", DialOutcome.ANSWERED.value),
            event("callee", ""),
            event("record", "done", "failed"),
            event("custom", "repeat", "main", "other", "hangup"),
            event("mode", "success", "success", "silent", "error"),
            event("answer", *answers),
            event("call", "reconnected"),
        ),
        max_size=60,
    )


events = event_lists("success", "success", "error", "gone")
events_without_a_hangup = event_lists("success", "success", "error")
ends = st.one_of(
    st.lists(event("call", "hung_up", "left"), min_size=1, max_size=2),
    st.lists(event("exit", "stopping", "error"), max_size=1),
    st.lists(event("mode", "gone"), max_size=1),
)


class CallPropertyTests(SynchronousTestCase):
    def check_errors(self) -> None:
        self.assertEqual([str(each) for each in self.flushLoggedErrors()], [])

    @given(events, ends, events)
    @settings(max_examples=120)
    def test_call_leaves_no_timer_sound_or_phone_whenever_it_ends(
        self,
        before: list[tuple[str, str]],
        end: list[tuple[str, str]],
        after: list[tuple[str, str]],
    ) -> None:
        random_call = RandomCall()
        for kind, detail in [*before, *end, *after]:
            random_call.apply(kind, detail)
        random_call.call.left()
        self.check_errors()
        self.assertTrue(random_call.is_over)
        self.assertEqual(random_call.leftovers(), [])
        requests = list(random_call.channel.log)
        for kind, detail in after:
            random_call.apply(kind, detail)
        self.assertEqual(random_call.channel.log, requests)
        self.check_errors()

    @given(events_without_a_hangup)
    @settings(max_examples=80)
    def test_call_of_a_silent_caller_ends(self, before: list[tuple[str, str]]) -> None:
        random_call = RandomCall()
        for kind, detail in before:
            random_call.apply(kind, detail)
        self.check_errors()
        started = random_call.clock.seconds()
        while not random_call.is_over:
            random_call.let_everything_end()
            self.assertLess(random_call.clock.seconds() - started, 2 * MENU_SECONDS)
        self.assertIn(random_call.channel.log[-1], ("hang up", "continue"))
        random_call.call.left()
        self.assertEqual(random_call.leftovers(), [])
        self.check_errors()

    @given(events_without_a_hangup)
    @settings(max_examples=50)
    def test_call_exits_to_the_dialplan_or_keeps_its_conversation(
        self, before: list[tuple[str, str]]
    ) -> None:
        random_call = RandomCall()
        for kind, detail in before:
            random_call.apply(kind, detail)
        self.check_errors()
        if random_call.is_over:
            return
        in_conversation = (
            random_call.channel.phones_in_use
            if random_call.call.is_in_conversation
            else []
        )
        random_call.channel.mode = "success"
        exited = random_call.call.exit_to_dialplan(EndReason.STOPPING)
        while not exited.called:
            random_call.channel.respond("success")
        self.assertTrue(random_call.is_over)
        self.assertEqual(random_call.channel.phones_in_use, in_conversation)
        if not in_conversation:
            self.assertIn(random_call.channel.log[-1], ("hang up", "continue"))
        random_call.call.left()
        self.check_errors()
