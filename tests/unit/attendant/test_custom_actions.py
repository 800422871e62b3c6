"""Custom actions of an embedding program."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from twisted.internet.defer import CancelledError, Deferred
from twisted.logger import capturedLogs
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from channel_aa.attendant.attendant import Attendant
from channel_aa.attendant.custom_actions import check_registered
from channel_aa.interfaces import (
    ChannelGoneError,
    DialOutcome,
    IStasisApplication,
    RecordingEnd,
)
from channel_aa.menus.actions import Continue, Dial, DialplanPlace, GoTo, Play, Run
from channel_aa.menus.flow import CallFlow
from channel_aa.menus.menu import Menu
from channel_aa.menus.sounds import prompt_of
from channel_aa.problems import ConfigError
from tests.support.call_case import CHANNEL, NOON, CallTestCase, call_flow, exit_of

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from channel_aa.attendant.custom_actions import Caller
    from channel_aa.menus.actions import Action

MENUS = """
[menus.main]
prompt = ["main"]
[menus.main.options]
1 = { run = "custom", timeout = 5, else = { play = ["sorry"] } }
2 = { run = "custom", timeout = 5 }
3 = { run = "missing" }
[menus.sales]
prompt = ["sales"]
timeout = 5
max_noinput = 1
max_nomatch = 1
failure = { run = "custom", timeout = 5 }
[actions]
again = { run = "custom", timeout = 5 }
[[routes]]
argument = "direct"
to = { run = "custom", timeout = 5 }
"""
PROMPT = prompt_of("press-1")
RUNS = {"main": Menu(prompt=PROMPT, options={"1": Run(run="look-up")})}


async def look_up(_caller: Caller, *, list: str = "all") -> None:  # noqa: A002 - named so in the file
    """Take one argument of a ``run``."""


class CustomActionTestCase(CallTestCase):
    FLOW = MENUS

    def setUp(self) -> None:
        super().setUp()
        self.callers: list[Caller] = []
        self.answer: Deferred[Action | str | None] = Deferred()
        self.attendant = Attendant(
            call_flow(self.FLOW),
            clock=self.clock,
            now=lambda: NOON,
            actions={"custom": self.custom},
        )

    async def custom(self, caller: Caller) -> Action | str | None:
        self.callers.append(caller)
        return await self.answer

    def run_action(self, keys: str = "1") -> None:
        self.enter("vip")
        self.hear("main")
        self.sent()
        self.press(keys)


class CustomActionTests(CustomActionTestCase):
    def test_caller_has_the_data_of_the_call(self) -> None:
        self.run_action()
        (caller,) = self.callers
        self.assertEqual(
            {key: value for key, value in vars(caller).items() if key[0] != "_"}
            | {"say": caller.say.language},
            {
                "channel_id": "1700000000.1",
                "channel_name": CHANNEL,
                "name": "Alice",
                "number": "+441632960100",
                "dialled": "1000",
                "arguments": ("vip",),
                "digits": "1",
                "recording": "",
                "say": "en",
                "is_over": False,
            },
        )

    def test_result_is_the_next_action(self) -> None:
        for answer, heard in (
            ("sales", "sales"),
            ("repeat", "main"),
            (None, "main"),
            (GoTo(menu="sales"), "sales"),
            (Play(play=prompt_of("hello")), "hello"),
        ):
            with self.subTest(answer=answer):
                self.setUp()
                self.run_action()
                self.answer.callback(answer)
                self.assert_plays(heard)
                self.tearDown()

    def test_digits_are_not_those_of_an_earlier_menu(self) -> None:
        self.run_action()
        self.answer.callback("sales")
        self.hear("sales")
        self.clock.advance(5)
        self.assertEqual([caller.digits for caller in self.callers], ["1", ""])

    def test_digits_are_not_those_of_an_invalid_option(self) -> None:
        self.run_action()
        self.answer.callback("sales")
        self.press("9")
        self.assertEqual([caller.digits for caller in self.callers], ["1", ""])

    def test_extension_of_no_digits_is_s(self) -> None:
        self.enter("direct")
        self.sent()
        self.assertEqual(self.callers[0].digits, "")
        place = DialplanPlace(context="phones", extension="{digits}")
        self.answer.callback(Continue(continue_=place))
        self.assertEqual(self.sent(), ["continue s@phones:1"])

    def test_way_back_without_a_menu_ends_in_the_dialplan(self) -> None:
        for word in ("back", "top", "repeat"):
            with self.subTest(word=word):
                self.setUp()
                self.enter("direct")
                self.sent()
                self.answer.callback(word)
                self.assertEqual(self.sent(), ["continue"])
                self.tearDown()

    def test_caller_plays_sounds_takes_keys_and_reads_and_sets_variables(self) -> None:
        self.run_action()
        (caller,) = self.callers
        playing = Deferred.fromCoroutine(caller.play("hello", "you-entered"))
        self.hear("hello", "you-entered")
        self.successResultOf(playing)
        key = Deferred.fromCoroutine(caller.next_key(3))
        self.press("7")
        self.assertEqual(self.successResultOf(key), "7")
        silence = Deferred.fromCoroutine(caller.next_key(3))
        self.clock.advance(3)
        self.assertIsNone(self.successResultOf(silence))
        self.successResultOf(Deferred.fromCoroutine(caller.set_variable("WHO", "me")))
        value = Deferred.fromCoroutine(caller.get_variable("WHO"))
        self.assertEqual(self.successResultOf(value), "me")
        self.answer.callback(None)

    def test_action_is_cancelled_at_its_timeout_and_leads_to_else(self) -> None:
        self.run_action()
        with capturedLogs() as events:
            self.clock.advance(5)
        self.assertTrue(self.answer.called)
        self.assert_logged(events, "custom", "longer than 5")
        self.hear("sorry", "main")

    def test_action_that_ignores_its_cancellation_has_no_effect_on_the_call(
        self,
    ) -> None:
        stubborn: Deferred[str] = Deferred()

        async def custom(caller: Caller) -> str:
            self.callers.append(caller)
            try:
                await self.answer
            except CancelledError:
                return await stubborn
            return ""

        self.patch(self, "custom", custom)
        self.attendant = Attendant(
            call_flow(self.FLOW),
            clock=self.clock,
            now=lambda: NOON,
            actions={"custom": custom},
        )
        self.run_action()
        self.clock.advance(5)
        self.assert_plays("sorry")
        playing = Deferred.fromCoroutine(self.callers[0].play("late"))
        self.failureResultOf(playing, ChannelGoneError)
        stubborn.callback("sales")
        self.hear("sorry", "main")

    def test_action_that_fails_is_logged_and_leads_to_else(self) -> None:
        for fault, problem in (
            (ZeroDivisionError("a bug"), "a bug"),
            (CancelledError(), "the Deferred that the action waited for was cancelled"),
        ):
            with self.subTest(fault=fault):
                self.setUp()
                self.run_action()
                self.answer.errback(fault)
                [failure] = self.flushLoggedErrors()
                self.assertIn(problem, failure.getErrorMessage())
                self.hear("sorry", "main")
                self.tearDown()

    def test_invalid_result_is_logged_and_leads_to_else(self) -> None:
        for answer, problem in (
            ("nowhere", "no menu and no action is called 'nowhere'"),
            (GoTo(menu="nowhere"), "no menu is called 'nowhere'"),
            ("no name", "'no name' is not a name"),
            (5, "it returned 5 instead of an action, a name or None"),
        ):
            with self.subTest(answer=answer):
                self.setUp()
                self.run_action()
                self.answer.callback(answer)  # type: ignore[arg-type] # that is it
                [failure] = self.flushLoggedErrors()
                self.assertIn(problem, failure.getErrorMessage())
                self.hear("sorry", "main")
                self.tearDown()

    def test_failure_without_else_repeats_the_menu(self) -> None:
        self.run_action("2")
        self.clock.advance(5)
        self.assert_plays("main")

    def test_unregistered_action_is_logged_by_its_name(self) -> None:
        self.enter()
        self.hear("main")
        self.assertIn("No action is registered as 'missing'", self.log_of("3"))
        self.assert_plays("main")

    def test_hangup_cancels_the_action(self) -> None:
        self.run_action()
        self.call.left()
        self.assertTrue(self.answer.called)
        self.assertTrue(self.callers[0].is_over)
        self.assertEqual(self.sent(), [])

    def test_stop_cancels_the_action_and_the_call_continues_in_the_dialplan(
        self,
    ) -> None:
        self.run_action()
        self.successResultOf(self.close())
        self.assertEqual(self.sent(), exit_of("stopping", "main:1"))

    def test_loop_without_a_key_ends(self) -> None:
        self.run_action()
        with capturedLogs() as events:
            self.answer.callback("again")
        self.assert_logged(events, "100 actions", "without a key")
        self.assertLess(len(self.callers), 101)
        self.assertEqual(self.sent(), exit_of("error", "main:1"))

    def test_attendant_with_actions_provides_its_interface(self) -> None:
        verifyObject(IStasisApplication, self.attendant)


class CallerTests(CustomActionTestCase):
    """What a custom action does with its caller."""

    def start(self, coroutine: Coroutine[Any, Any, object]) -> Deferred[object]:
        return Deferred.fromCoroutine(coroutine)

    def begin(self) -> Caller:
        self.run_action()
        (caller,) = self.callers
        return caller

    def test_waiting_for_the_caller_does_not_count_for_the_timeout(self) -> None:
        caller = self.begin()
        self.clock.advance(4)
        key = self.start(caller.next_key(60))
        self.clock.advance(50)
        self.press("7")
        self.assertEqual(self.successResultOf(key), "7")
        self.assertFalse(self.answer.called)
        self.clock.advance(1)
        self.assertTrue(self.answer.called)

    def test_keys_of_an_action_that_timed_out_choose_no_option(self) -> None:
        self.begin()
        self.press("2")
        self.clock.advance(5)
        self.hear("sorry")
        self.assert_plays("main")

    def test_numbers_are_asked_for(self) -> None:
        caller = self.begin()
        pin = self.start(
            caller.collect(prompt="enter", min_digits=2, max_digits=2, invalid="wrong")
        )
        self.hear("enter")
        self.press("1#")
        self.hear("wrong", "enter")
        self.press("42")
        self.assertEqual(self.successResultOf(pin), "42")
        answer = self.start(caller.confirm(["you-entered", *caller.say.number(42)]))
        self.hear("you-entered", "digits/40", "digits/2")
        self.press("1")
        self.assertTrue(self.successResultOf(answer))
        self.answer.callback(None)

    def test_caller_is_recorded(self) -> None:
        caller = self.begin()
        stored = self.start(caller.record("messages/one"))
        self.assertNoResult(stored)
        self.clock.advance(30)
        self.channel.recordings[-1].end(RecordingEnd.DONE)
        self.assertEqual(self.successResultOf(stored), "messages/one")
        self.assertEqual(caller.recording, "messages/one")
        self.answer.callback(None)

    def test_wrong_names_are_refused_before_anything_is_sent(self) -> None:
        caller = self.begin()
        self.sent()
        for refused in (
            caller.record("../etc"),
            caller.dial("410"),
            caller.play("a b"),
        ):
            self.failureResultOf(self.start(refused), ConfigError)
        self.assertEqual(self.sent(), [])
        self.answer.callback(None)

    def test_phone_is_dialled(self) -> None:
        caller = self.begin()
        spoken = self.start(caller.dial("PJSIP/410"))
        self.clock.advance(15)
        phone = self.channel.phones[-1]
        phone.end_dialling(DialOutcome.ANSWERED)
        self.assertNoResult(spoken)
        phone.callee_hangs_up()
        self.assertTrue(self.successResultOf(spoken))
        self.answer.callback(None)

    def test_phone_that_is_busy(self) -> None:
        caller = self.begin()
        spoken = self.start(caller.dial(Dial(dial=("PJSIP/410",), ring=5)))
        self.channel.phones[-1].end_dialling(DialOutcome.BUSY)
        self.assertFalse(self.successResultOf(spoken))
        self.answer.callback(None)

    def test_action_hangs_up(self) -> None:
        caller = self.begin()
        self.sent()
        self.successResultOf(self.start(caller.hang_up()))
        self.assertEqual(self.sent(), ["hang up"])
        self.call.left()

    def test_arguments_of_the_file_are_keywords(self) -> None:
        taken: list[dict[str, object]] = []

        async def custom(_caller: Caller, **arguments: object) -> str:
            taken.append(arguments)
            return "hangup"

        flow = call_flow(
            self.FLOW.replace(
                'run = "custom",', 'run = "custom", arguments = { list = "a", n = 3 },'
            )
        )
        self.attendant = Attendant(
            flow, clock=self.clock, now=lambda: NOON, actions={"custom": custom}
        )
        self.run_action()
        self.assertEqual(taken, [{"list": "a", "n": 3}])


class RegistrationTests(SynchronousTestCase):
    def test_arguments_that_the_action_does_not_take_are_a_problem(self) -> None:
        run = Run(run="look-up", arguments={"lists": "vip"})
        flow = CallFlow(menus={"main": Menu(prompt=PROMPT, options={"1": run})})
        error = self.assertRaises(
            ConfigError, check_registered, flow, {"look-up": look_up}
        )
        self.assertEqual(
            str(error),
            "menus.main.options.1.arguments: the registered action 'look-up' does not"
            " take them: got an unexpected keyword argument 'lists'",
        )

    def test_arguments_are_text_numbers_or_flags(self) -> None:
        for value in ([1], {"a": 1}, None):
            error = self.assertRaises(
                ConfigError, Run, run="look-up", arguments={"list": value}
            )
            self.assertIn("expected text, a number, true or false", str(error))
        error = self.assertRaises(
            ConfigError, Run, run="look-up", arguments={"a b": "x"}
        )
        self.assertIn("is not the name of an argument", str(error))

    def places(self, flow: CallFlow) -> list[str]:
        error = self.assertRaises(ConfigError, check_registered, flow, {})
        return [problem.place for problem in error.problems]

    def test_each_unregistered_action_is_a_problem_with_its_place(self) -> None:
        run = Run(run="look-up")
        flow = CallFlow(
            menus={
                "main": Menu(
                    prompt=PROMPT,
                    options={"1": run, "2": Play(play=PROMPT, then=run)},
                    failure=run,
                )
            },
            actions={"ring": Dial(dial=("PJSIP/410",), else_=run)},
        )
        self.assertEqual(
            self.places(flow),
            [
                "menus.main.options.1.run",
                "menus.main.options.2.then.run",
                "menus.main.failure.run",
                "actions.ring.else.run",
            ],
        )
        check_registered(flow, {"look-up": look_up})

    def test_nearest_registered_name_is_suggested(self) -> None:
        flow = CallFlow(menus=RUNS)
        error = self.assertRaises(
            ConfigError, check_registered, flow, {"look-it-up": look_up}
        )
        self.assertIn("did you mean 'look-it-up'?", str(error))

    def test_place_begins_with_the_file(self) -> None:
        flow = CallFlow(menus=RUNS)
        with self.assertRaises(ConfigError) as caught:
            check_registered(flow, {}, file="/etc/aa.conf")
        self.assertTrue(
            str(caught.exception).startswith(
                "/etc/aa.conf: menus.main.options.1.run: 'look-up' is not"
                " registered: twistd channel-aa has no custom actions"
            )
        )
