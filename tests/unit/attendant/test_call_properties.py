"""Whatever happens to a call, in whatever order, it reaches an end and leaves nothing.

A caller, phones, Asterisk and the clock do what they like with a call through every
action. `FakeChannel` refuses a sound over another; `Fate` looks at the rest.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from channel_aa.attendant.attendant import Attendant
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


class MoodyChannel(FakeChannel):
    """A channel whose requests are answered as its mood is, or later."""

    def __init__(self) -> None:
        super().__init__()
        self.mood = "well"
        self.unanswered: list[Deferred[None]] = []

    def answer(self) -> Deferred[None]:
        return self._ask("answer")

    def continue_in_dialplan(
        self, *, context: str = "", extension: str = "", priority: int = 0
    ) -> Deferred[None]:
        return self._ask("continue")

    def settle(self, mood: str) -> None:
        """Answer the oldest request that was not answered."""
        waiting = [each for each in self.unanswered if not each.called]
        self.unanswered = waiting[1:]
        if waiting and mood == "well":
            waiting[0].callback(None)
        elif waiting:
            waiting[0].errback(self._error(mood))

    def _ask(self, line: str) -> Deferred[None]:
        self.log.append(line)
        if self.mood == "well":
            return succeed(None)
        if self.mood == "silent":
            self.unanswered.append(Deferred())
            return self.unanswered[-1]
        return fail(self._error(self.mood))

    def _error(self, mood: str) -> TelephonyError:
        return ChannelGoneError("404") if mood == "gone" else TelephonyError("500")


class Fate:
    """A call, and what may happen to it."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.channel = MoodyChannel()
        self.custom_answers: list[Deferred[str]] = []
        self.standing: list[str] = []
        self.attendant = Attendant(
            FLOW, clock=self.clock, now=lambda: NOON, actions={"custom": self.custom}
        )
        self.call = self.attendant.channel_entered(self.channel, ())

    async def custom(self, caller: Caller) -> str:
        await caller.play("custom")
        self.custom_answers.append(Deferred())
        return await self.custom_answers[-1]

    def move(self, what: str, which: str) -> None:
        """Let something happen; nothing does where there is nothing for it."""
        moves: dict[str, Callable[[str], None]] = {
            "press": self.press,
            "sound": self.end_sound,
            "pass": lambda seconds: self.clock.advance(float(seconds)),
            "phone": self.end_ringing,
            "callee": self.end_conversation,
            "record": self.end_recording,
            "custom": self.end_custom,
            "mood": lambda mood: setattr(self.channel, "mood", mood),
            "answer": self.channel.settle,
            "call": lambda name: getattr(self.call, name)(),
            "release": self.release,
        }
        moves[what](which)

    def press(self, keys: str) -> None:
        for key in keys:
            self.call.dtmf_received(key)

    def release(self, reason: str) -> None:
        if self.call.is_in_conversation:
            self.standing += self.channel.busy_phones
        self.call.exit_to_dialplan(reason)

    def end_sound(self, end: str) -> None:
        if self.channel.playing is not None:
            self.channel.end_sound(PlaybackEnd(end))

    def end_ringing(self, outcome: str) -> None:
        for phone in self.channel.phones:
            if not phone.outcome.called:
                phone.ends(DialOutcome(outcome))
                return

    def end_conversation(self, _which: str) -> None:
        for phone in self.channel.phones:
            if phone.connected is not None and phone.is_busy:
                phone.is_hung_up_by_the_callee()

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
        """Whether nothing is done for the call any more."""
        finished = self.call._finished
        return finished is not None and bool(finished.called)

    def go_on_alone(self) -> None:
        """Let everything have its ordinary end, with a caller who does nothing."""
        self.channel.mood = "well"
        for _ in range(100):
            self.channel.settle("well")
            self.end_sound("done")
            self.end_ringing("NOANSWER")
            self.end_conversation("")
            self.end_recording("done")
            self.end_custom("repeat")
        self.clock.advance(5)

    def leftovers(self) -> list[object]:
        """Give what a call should not leave behind."""
        channel = self.channel
        return [
            *self.clock.getDelayedCalls(),
            *(each for each in channel.busy_phones if each not in self.standing),
            *(each.media for each in channel.playbacks if not each.finished.called),
            *(each.name for each in channel.recordings if not each.finished.called),
            *(each for each in self.custom_answers if not each.called),
            *self.attendant.calls,
        ]


def moves_of(what: str, *which: str) -> st.SearchStrategy[tuple[str, str]]:
    return st.tuples(st.just(what), st.sampled_from(which))


def orders(*answers: str) -> st.SearchStrategy[list[tuple[str, str]]]:
    """Give whatever may happen, with these late answers to requests."""
    return st.lists(
        st.one_of(
            moves_of("press", *"1234567*#0", "21", "22", "23", "99", "1" * 100),
            moves_of("sound", "done", "done", "failed"),
            moves_of("pass", "0.5", "2", "10", "60"),
            moves_of("phone", *(outcome.value for outcome in DialOutcome)),
            moves_of("phone", DialOutcome.ANSWERED.value),
            moves_of("callee", ""),
            moves_of("record", "done", "failed"),
            moves_of("custom", "repeat", "main", "other", "hangup"),
            moves_of("mood", "well", "well", "silent", "error"),
            moves_of("answer", *answers),
            moves_of("call", "reconnected"),
        ),
        max_size=60,
    )


moves = orders("well", "well", "error", "gone")
moves_of_one_who_stays = orders("well", "well", "error")
ends = st.one_of(
    st.lists(moves_of("call", "hung_up", "left"), min_size=1, max_size=2),
    st.lists(moves_of("release", "stopping", "error"), max_size=1),
    st.lists(moves_of("mood", "gone"), max_size=1),
)


class CallPropertyTests(SynchronousTestCase):
    def check_errors(self) -> None:
        self.assertEqual([str(each) for each in self.flushLoggedErrors()], [])

    @given(moves, ends, moves)
    @settings(deadline=None, max_examples=120)
    def test_call_that_has_left_leaves_nothing_whenever_it_does(
        self,
        before: list[tuple[str, str]],
        end: list[tuple[str, str]],
        after: list[tuple[str, str]],
    ) -> None:
        fate = Fate()
        for what, which in [*before, *end, *after]:
            fate.move(what, which)
        fate.call.left()
        self.check_errors()
        self.assertTrue(fate.is_over)
        self.assertEqual(fate.leftovers(), [])
        asked = list(fate.channel.log)
        for what, which in after:
            fate.move(what, which)
        self.assertEqual(fate.channel.log, asked)
        self.check_errors()

    @given(moves_of_one_who_stays)
    @settings(deadline=None, max_examples=80)
    def test_call_of_a_caller_who_goes_silent_has_an_end(
        self, before: list[tuple[str, str]]
    ) -> None:
        fate = Fate()
        for what, which in before:
            fate.move(what, which)
        self.check_errors()
        started = fate.clock.seconds()
        while not fate.is_over:
            fate.go_on_alone()
            self.assertLess(fate.clock.seconds() - started, 2 * MENU_SECONDS)
        self.assertIn(fate.channel.log[-1], ("hang up", "continue"))
        fate.call.left()
        self.assertEqual(fate.leftovers(), [])
        self.check_errors()

    @given(moves_of_one_who_stays)
    @settings(deadline=None, max_examples=50)
    def test_call_that_is_released_is_told_to_go_on_and_its_conversation_stands(
        self, before: list[tuple[str, str]]
    ) -> None:
        fate = Fate()
        for what, which in before:
            fate.move(what, which)
        self.check_errors()
        if fate.is_over:
            return
        talking = fate.channel.busy_phones if fate.call.is_in_conversation else []
        fate.channel.mood = "well"
        released = fate.call.exit_to_dialplan("stopping")
        while not released.called:
            fate.channel.settle("well")
        self.assertTrue(fate.is_over)
        self.assertEqual(fate.channel.busy_phones, talking)
        if not talking:
            self.assertIn(fate.channel.log[-1], ("hang up", "continue"))
        fate.call.left()
        self.check_errors()
