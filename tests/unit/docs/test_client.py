"""The programs in docs/client.md run."""

from __future__ import annotations

import json
import re
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from twisted.internet.defer import Deferred
from twisted.internet.defer import TimeoutError as DeferredTimeoutError
from twisted.trial.unittest import SynchronousTestCase

import channel_aa.ari
from channel_aa.ari.api import events
from channel_aa.simulator.in_memory import wait_for
from tests.support.ari_fakes import AriTestCase
from tests.support.programs import PATIENCE, ProgramTestCase

if TYPE_CHECKING:
    from channel_aa.ari import Channel

PAGE = Path(__file__).parents[3] / "docs/client.md"
BLOCKS = re.findall(r"```python\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
ENDPOINT = (
    b'[{"technology":"PJSIP","resource":"410","state":"online","channel_ids":[]}]'
)


class ExamplesTests(SynchronousTestCase):
    def test_page_lists_every_example(self) -> None:
        folder = PAGE.parents[1] / "examples/ari"
        listed = re.findall(r"\| \[`(\w+\.py)`\]", PAGE.read_text("utf-8"))
        self.assertEqual(sorted(listed), sorted(it.name for it in folder.glob("*.py")))


class ClientPageTests(AriTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.printed: list[tuple[object, ...]] = []
        self.names: dict[str, Any] = {
            **vars(channel_aa.ari),
            **vars(events),
            "Decimal": Decimal,
            "print": lambda *texts: self.printed.append(texts),
        }
        for block in BLOCKS:
            exec(block, self.names)  # noqa: S102 - our own page

    def test_operations(self) -> None:
        done = Deferred.fromCoroutine(self.names["ring"](self.client, "410"))
        self.sender.only_unanswered().accept(ENDPOINT)
        request = self.sender.only_unanswered()
        self.assertEqual(
            request.line, "POST channels?endpoint=PJSIP%2F410&app=office&timeout=10"
        )
        self.assertNoResult(done)
        done.cancel()
        self.failureResultOf(done)

    def test_events(self) -> None:
        done = Deferred.fromCoroutine(self.names["watch"](self.client))
        self.sender.only_unanswered().accept(b"{}")
        self.assertEqual(
            self.client.events.types, {"EndpointStateChange", "ChannelHold"}
        )
        endpoint = json.loads(ENDPOINT)[0]
        self.receive("EndpointStateChange", endpoint=endpoint)
        self.assertEqual(self.printed, [("online",)])
        self.clock.advance(60)
        self.failureResultOf(done, DeferredTimeoutError)


class ProgramTests(ProgramTestCase):
    """The coroutines of the page, on the simulator."""

    def setUp(self) -> None:
        super().setUp()
        self.names: dict[str, Any] = {
            **vars(channel_aa.ari),
            **vars(events),
            "Decimal": Decimal,
            "print": lambda *_: None,
        }
        for block in BLOCKS:
            exec(block, self.names)  # noqa: S102 - our own page

    def test_call(self) -> None:
        self.simulator.phones.change("PJSIP/410", "answers 1 hangs-up 2")

        async def program(channel: Channel) -> None:
            await self.names["call"](channel, ())

        caller = self.call(program)
        self.until_heard(caller, 1)
        caller.press("1234")
        self.assertEqual(self.until_over(caller), "hung up by application")
        self.assertEqual(self.heard(caller)[-1], "voice:PJSIP/410")
        self.assertIn("digits/dollars", self.heard(caller))

    def test_call_without_a_pin(self) -> None:
        async def program(channel: Channel) -> None:
            await self.names["call"](channel, ())

        caller = self.call(program)
        self.until_over(caller)
        self.assertEqual(self.heard(caller)[-1], "vm-goodbye")

    def test_reminder(self) -> None:
        for behaviour, confirmed in {
            "answers 1 press 1": True,
            "answers 1 press 2": False,
            "busy": False,
        }.items():
            self.simulator.phones.change("PJSIP/410", behaviour)
            reminded = self.names["remind"](self.client, "PJSIP/410")
            done: Deferred[bool] = Deferred.fromCoroutine(reminded)
            result = wait_for(self.clock, done, seconds=PATIENCE)
            self.assertIs(result, confirmed, behaviour)
            self.clock.advance(1)
        self.assertEqual(len(self.client.channels), 0)

    def test_conference(self) -> None:
        async def program(_channel: Channel) -> None:
            await Deferred()

        callers = [self.call(program), self.call(program)]
        channels = [channel for channel, _ in self.calls]
        conferring = self.names["confer"](self.client, *channels)
        done: Deferred[None] = Deferred.fromCoroutine(conferring)
        self.clock.pump([0.1] * 30)
        self.assertEqual(self.heard(callers[0])[-1], "voice:PJSIP/alice")
        self.assertNoResult(done)
        callers[1].hang_up()
        wait_for(self.clock, done, seconds=PATIENCE)
        self.assertEqual(self.simulator.state.bridges, {})
