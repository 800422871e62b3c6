from __future__ import annotations

import tomllib
from datetime import datetime
from itertools import permutations
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from channel_aa.menus.actions import (
    BACK,
    HANGUP,
    REPEAT,
    TOP,
    Dial,
    GoTo,
    Named,
    Play,
    Queue,
)
from channel_aa.menus.flow import CallFlow, Start
from channel_aa.menus.menu import Menu, default_menu
from channel_aa.menus.routes import Route
from channel_aa.menus.schedules import Schedule
from channel_aa.menus.sounds import prompt_of
from channel_aa.problems import ConfigError
from tests.support.config_case import ProblemCase

LONDON = ZoneInfo("Europe/London")
OPEN = datetime(2026, 11, 23, 12, tzinfo=LONDON)
CLOSED = datetime(2026, 11, 23, 20, tzinfo=LONDON)
HOLIDAY = datetime(2026, 12, 25, 12, tzinfo=LONDON)
MENU = default_menu()


def flow_of(text: str) -> CallFlow:
    """Read a call flow from a file's text."""
    return CallFlow(**tomllib.loads(text))


COMPANY = flow_of(
    """
    [menus.main]
    prompt = ["press-1"]
    options = { 1 = "sales", 2 = "operator", 3 = { play = ["a"], then = "operator" } }
    [menus.main.extensions]
    pattern = "4XX"
    dial = "PJSIP/{digits}"
    else = { play = ["b"] }
    [menus.sales]
    prompt = ["press-2"]
    noinput = [["c"], ["d"]]
    [actions]
    operator = { dial = "PJSIP/100", else = "closed" }
    reception = "operator"
    closed = { play = ["e"], then = "hangup" }
    [[routes]]
    did = ["+441", "+442"]
    argument = "vip"
    to = "operator"
    [[routes]]
    did = "+441"
    schedule = "office"
    open = "main"
    closed = "closed"
    holiday = "hangup"
    language = "fr"
    [[routes]]
    argument = ["sales", "shop"]
    to = { menu = "sales" }
    [[routes]]
    did = "+443"
    schedule = "office"
    open = "sales"
    closed = "closed"
    [schedules.office]
    timezone = "Europe/London"
    open = ["mon-fri 09:00-17:30"]
    holidays = ["2026-12-25"]
    """
)


class StartTests(ProblemCase):
    def start(self, dialled: str = "", *arguments: str, at: datetime = OPEN) -> Start:
        return COMPANY.start(dialled=dialled, arguments=arguments, at=at)

    def test_call_without_a_route_begins_in_the_entry(self) -> None:
        self.assertEqual(self.start(), Start(GoTo(menu="main"), ""))
        self.assertEqual(self.start("1000", "x"), Start(GoTo(menu="main"), ""))

    def test_schedule_decides_where_a_call_begins(self) -> None:
        for at, target in (
            (OPEN, GoTo(menu="main")),
            (CLOSED, Play(play=prompt_of("e"), then=HANGUP)),
            (HOLIDAY, HANGUP),
        ):
            self.assertEqual(self.start("+441", at=at), Start(target, "fr", 1))

    def test_holiday_defaults_to_closed(self) -> None:
        self.assertEqual(self.start("+443", at=HOLIDAY), self.start("+443", at=CLOSED))

    def test_number_and_argument_have_to_match(self) -> None:
        operator = Start(COMPANY.actions["operator"], route=0)
        self.assertEqual(self.start("+442", "x", "vip"), operator)
        self.assertEqual(self.start("+442"), Start(GoTo(menu="main")))
        self.assertEqual(self.start("", "vip"), Start(GoTo(menu="main")))
        self.assertEqual(self.start("+449", "shop"), Start(GoTo(menu="sales"), route=2))

    def test_first_route_that_is_for_a_call_counts(self) -> None:
        self.assertEqual(self.start("+441", "vip").language, "")
        self.assertEqual(self.start("+441", "sales").language, "fr")

    def test_dialled_number_and_arguments_are_compared_literally(self) -> None:
        main = Start(GoTo(menu="main"))
        for text in ("441", "+441 ", "+44.", "*", "", "\n", "${X}", "x" * 5000):
            self.assertEqual(self.start(text, text), main)


class ResolveTests(ProblemCase):
    def test_name_is_a_menu_or_an_action(self) -> None:
        self.assertEqual(COMPANY.resolve(Named(name="sales")), GoTo(menu="sales"))
        operator = COMPANY.actions["operator"]
        self.assertEqual(COMPANY.resolve(Named(name="operator")), operator)
        self.assertEqual(COMPANY.resolve(Named(name="reception")), operator)

    def test_everything_else_is_itself(self) -> None:
        for action in (REPEAT, BACK, GoTo(menu="sales"), Queue(queue="x")):
            self.assertIs(COMPANY.resolve(action), action)

    def test_word_is_what_it_would_be_in_the_file(self) -> None:
        for word, action in {
            "back": BACK,
            "sales": GoTo(menu="sales"),
            "reception": COMPANY.actions["operator"],
        }.items():
            self.assertEqual(COMPANY.word(word), action)

    def test_unknown_word_is_refused_with_the_nearest_one(self) -> None:
        error = self.assertRaises(ValueError, COMPANY.word, "slaes")
        self.assertEqual(
            str(error), "no menu or action is called 'slaes'; did you mean 'sales'?"
        )


class EverythingTests(ProblemCase):
    def test_all_actions_have_their_places(self) -> None:
        self.assertEqual(
            [place for place, _ in COMPANY.all_actions()],
            [
                "menus.main.options.1",
                "menus.main.options.2",
                "menus.main.options.3",
                "menus.main.options.3.then",
                "menus.main.extensions",
                "menus.main.extensions.then",
                "menus.main.extensions.else",
                "menus.main.extensions.else.then",
                "menus.main.failure",
                "menus.sales.failure",
                "actions.operator",
                "actions.operator.then",
                "actions.operator.else",
                "actions.reception",
                "actions.closed",
                "actions.closed.then",
                "routes[0].to",
                "routes[1].open",
                "routes[1].closed",
                "routes[1].holiday",
                "routes[2].to",
                "routes[3].open",
                "routes[3].closed",
            ],
        )

    def test_all_sounds_have_their_places(self) -> None:
        self.assertEqual(
            [(place, *sound.media) for place, sound in COMPANY.all_sounds()],
            [
                ("menus.main.prompt[0]", "sound:press-1"),
                ("menus.main.noinput[0]", "sound:are-you-still-there"),
                ("menus.main.nomatch[0]", "sound:option-is-invalid"),
                ("menus.sales.prompt[0]", "sound:press-2"),
                ("menus.sales.noinput[0][0]", "sound:c"),
                ("menus.sales.noinput[1][0]", "sound:d"),
                ("menus.sales.nomatch[0]", "sound:option-is-invalid"),
                ("menus.main.options.3.play[0]", "sound:a"),
                ("menus.main.extensions.else.play[0]", "sound:b"),
                ("actions.closed.play[0]", "sound:e"),
            ],
        )


class ProgramTests(ProblemCase):
    def test_flow_without_arguments_is_the_default_menu(self) -> None:
        self.assertEqual(CallFlow(), CallFlow(entry="main", menus={"main": MENU}))

    def test_program_builds_the_same_as_a_file(self) -> None:
        built = CallFlow(
            menus={"main": Menu(prompt=prompt_of("x"), options={"1": Named(name="a")})},
            actions={"a": Dial(dial=("PJSIP/1",))},
            routes=(
                Route(did=("1",), schedule="s", open=GoTo(menu="main"), closed=HANGUP),
            ),
            schedules={"s": Schedule(timezone="UTC", open=())},
        )
        read = flow_of(
            """
            menus.main = { prompt = ["x"], options = { 1 = "a" } }
            actions.a = { dial = "PJSIP/1" }
            schedules.s = { timezone = "UTC", open = [] }
            [[routes]]
            did = "1"
            schedule = "s"
            open = { menu = "main" }
            closed = "hangup"
            """
        )
        self.assertEqual(built, read)

    def test_cross_references_of_a_program_are_checked_too(self) -> None:
        problem = self.problem(CallFlow, entry="mian")
        self.assertEqual(
            problem, "entry: no menu is called 'mian'; did you mean 'main'?"
        )

    def test_entry_of_another_type_is_one_problem(self) -> None:
        self.assertEqual(
            self.problem(CallFlow, entry=5),
            "entry: expected text in quotes, found a number: 5",
        )

    def test_call_seconds_have_bounds(self) -> None:
        for seconds in (0, -1, 86401, float("nan")):
            self.assertIn(
                "at most 86400", self.problem(CallFlow, max_call_seconds=seconds)
            )


MENUS = ("m0", "m1", "m2")
WORDS = ("back", "top", "hangup", "a", "b", *MENUS)


def actions() -> st.SearchStrategy[object]:
    return st.recursive(
        st.sampled_from(WORDS),
        lambda inner: st.fixed_dictionaries({"play": st.just(["x"]), "then": inner}),
        max_leaves=3,
    )


def silent_caller_comes_to_an_end(flow: CallFlow, way: list[str]) -> bool:
    """Follow a caller who came this way and never presses a key, as the engine does."""
    for _ in range(100):
        menu = flow.menus[way[-1]]
        if not menu.max_noinput:
            return True  # it waits, and the longest time of a call ends it
        action = flow.resolve(menu.failure)
        while isinstance(action, Play):
            action = flow.resolve(action.then)
        if action == HANGUP:
            return True
        if action == BACK:
            way = way[:-1] or way
        elif action == TOP:
            way = way[:1]
        elif isinstance(action, GoTo):
            name = action.menu
            way = [*(way[: way.index(name)] if name in way else way), name]
    return False


class SilenceTests(SynchronousTestCase):
    @given(
        failures=st.lists(actions(), min_size=3, max_size=3),
        limits=st.lists(st.integers(0, 1), min_size=3, max_size=3),
        named=st.lists(actions(), min_size=2, max_size=2),
        routes=st.lists(st.sampled_from(MENUS), max_size=2),
    )
    def test_valid_flow_ends_the_call_of_a_silent_caller(
        self,
        failures: list[object],
        limits: list[int],
        named: list[object],
        routes: list[str],
    ) -> None:
        document: dict[str, Any] = {
            "entry": "m0",
            "menus": {
                f"m{index}": {"prompt": ["x"], "failure": failure, "max_noinput": limit}
                for index, (failure, limit) in enumerate(
                    zip(failures, limits, strict=True)
                )
            },
            "actions": dict(zip("ab", named, strict=True)),
            "routes": [{"did": str(at), "to": to} for at, to in enumerate(routes)],
        }
        try:
            flow = CallFlow(**document)
        except ConfigError:
            return
        for way in (each for size in (1, 2, 3) for each in permutations(MENUS, size)):
            if way[0] in {"m0", *routes}:
                is_over = silent_caller_comes_to_an_end(flow, list(way))
                self.assertTrue(is_over, (way, document))
