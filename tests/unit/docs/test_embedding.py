"""The programs in docs/embedding.md run."""

from __future__ import annotations

import re
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from twisted.application.service import Application, IServiceCollection, MultiService

import channel_aa.attendant.call_events
import channel_aa.config
import channel_aa.menus.actions
import channel_aa.settings
from channel_aa.attendant.attendant import Attendant
from channel_aa.attendant.custom_actions import Caller
from channel_aa.interfaces import DialOutcome
from channel_aa.menus.actions import Dial
from channel_aa.menus.menu import Menu
from channel_aa.menus.sounds import Sound, prompt_of
from channel_aa.service import AttendantService
from tests.support.attendant_fakes import memory_reactor
from tests.support.call_case import NOON, CallTestCase

if TYPE_CHECKING:
    from channel_aa.settings import Settings

PAGE = Path(__file__).parents[3] / "docs/embedding.md"


def blocks(language: str) -> list[str]:
    """Return the code blocks of a language."""
    text = PAGE.read_text("utf-8")
    return re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)


class EmbeddingPageTests(CallTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.printed: list[str] = []
        self.asked: list[tuple[str, ...]] = []
        [file] = blocks("toml")
        self.file = Path(self.mktemp())
        self.file.write_text(file)
        self.names: dict[str, Any] = {
            **vars(channel_aa.attendant.call_events),
            **vars(channel_aa.config),
            **vars(channel_aa.menus.actions),
            **vars(channel_aa.settings),
            "AttendantService": AttendantService,
            "Caller": Caller,
            "Menu": Menu,
            "MultiService": MultiService,
            "Path": lambda name: self.file if name == "office.conf" else Path(name),
            "application": Application("page"),
            "balance_at": self.balance_at,
            "print": lambda *texts, sep=" ": self.printed.append(
                sep.join(map(str, texts))
            ),
            "prompt_of": prompt_of,
            "reactor": memory_reactor(),
        }
        # The action comes first: the page shows before it what names it.
        for block in sorted(
            blocks("python"), key=lambda block: not block.startswith("async def")
        ):
            exec(block, self.names)  # noqa: S102 - our own page
        self.service: AttendantService = self.names["attendant"]

    async def balance_at(self, *asked: str) -> Decimal:
        self.asked.append(asked)
        return Decimal("12.50")

    def attend(self, settings: Settings) -> None:
        """Serve calls with the page's action and observer."""
        self.attendant = Attendant(
            settings.flow,
            clock=self.clock,
            now=lambda: NOON,
            actions={"balance": self.names["balance"]},
        )
        self.attendant.observers.append(self.names["observe"])

    def test_action_asks_says_and_dials(self) -> None:
        for settings in (self.service.settings, self.names["office"]):
            self.attend(settings)
            self.asked.clear()
            self.enter()
            self.press("1")
            self.assert_plays("vm-password")
            self.press("1234")
            self.assertEqual(
                self.asked, [("north", self.channel.caller_number, "1234")]
            )
            self.hear(
                "vm-youhave", "digits/12", "digits/dollars", "vm-and", "digits/50"
            )
            self.assert_plays("acme/press-1-for-a-clerk")
            self.press("1")
            self.channel.phones[-1].end_dialling(DialOutcome.ANSWERED)
            self.channel.phones[-1].callee_hangs_up()
            self.assertEqual(self.sent()[-1], "hang up")
            self.call.left()

    def test_observer_prints_who_calls_and_the_end(self) -> None:
        self.attend(self.service.settings)
        self.enter()
        self.clock.advance(3)
        self.call.hung_up()
        self.call.left()
        self.assertEqual(
            self.printed, ["+441632960100 calls 1000", "caller after 3 s in main"]
        )

    def test_wrong_file_leaves_the_settings(self) -> None:
        text = self.file.read_text()
        settings = self.service.settings
        self.file.write_text(text.replace("branch", "office"))
        self.names["reload"](self.service, self.file)
        self.assertEqual(self.service.settings, settings)
        self.assertIn("menus.main.options.1.arguments: ", self.printed[0])
        self.assertIsNotNone(self.service.status().configuration.refused)
        self.file.write_text(text.replace("PJSIP/100", "PJSIP/101"))
        self.names["reload"](self.service, self.file)
        operator = self.service.settings.actions["operator"]
        self.assertEqual(operator, Dial(dial=("PJSIP/101",)))
        self.assertIsNone(self.service.status().configuration.refused)

    def test_one_process_has_several_services(self) -> None:
        [alone] = IServiceCollection(self.names["application"])
        self.assertIs(alone, self.service)
        urls = [each.settings.asterisk.url for each in self.names["offices"]]
        self.assertEqual(urls, ["http://pbx-london:8088", "http://pbx-leeds:8088"])

    def test_text_of_a_program_may_be_spoken(self) -> None:
        [text] = re.findall(r"`Sound\((say=.*?)\)`", PAGE.read_text("utf-8"))
        self.assertEqual(text, 'say=f"Your number is {number}."')
        sound = Sound(say="Your number is 42.")  # type: ignore[arg-type]
        self.assertEqual(next(sound.utterances()).text, "Your number is 42.")
