"""The shipped contexts for what ARI cannot do: voicemail, a queue, the directory."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import pytest_twisted
from twisted.internet.defer import ensureDeferred

from tests.support.asterisk_harness import RealAsteriskHarness

if TYPE_CHECKING:
    from collections.abc import Iterator

    from twisted.internet.posixbase import PosixReactorBase

    from real_asterisk.harness import Asterisk
    from tests.support.asterisk_harness import Call
    from tests.support.raw_ari import Event, Events

pytestmark = pytest.mark.asterisk

OPERATOR = ("channel-aa", "operator")
MENU = ("channel-aa", "1000")


class Departure:
    """A call that the attendant has sent on."""

    def __init__(
        self, stage: RealAsteriskHarness, everything: Events, call: Call
    ) -> None:
        self.stage = stage
        self.everything = everything
        self.call = call

    async def executes(self, application: str, data: str | None = None) -> Event:
        """Wait until the dialplan executes an application for the call."""
        return await self.everything.wait_for(
            lambda it: (
                it.type == "ChannelDialplan"
                and it.is_about(self.call.id)
                and it.json["dialplan_app"] == application
                and data in {None, it.json["dialplan_app_data"]}
            )
        )

    async def arrives_at(self, place: tuple[str, str]) -> None:
        """Wait until the call is at an extension of a context."""
        await self.everything.wait_for(
            lambda it: (
                it.type == "ChannelDialplan"
                and it.is_about(self.call.id)
                and (
                    it.json["channel"]["dialplan"]["context"],
                    it.json["channel"]["dialplan"]["exten"],
                )
                == place
            )
        )

    async def variable(self, name: str) -> str:
        """Wait until a variable of the call is set, and return its value."""
        event = await self.everything.wait_for(
            lambda it: (
                it.type == "ChannelVarset"
                and it.is_about(self.call.id)
                and it.json["variable"] == name
            )
        )
        value: str = event.json["value"]
        return value


@pytest.fixture
def stage(
    reactor: PosixReactorBase, asterisk: Asterisk
) -> Iterator[RealAsteriskHarness]:
    opening = ensureDeferred(RealAsteriskHarness.open(reactor, asterisk))
    opened: RealAsteriskHarness = pytest_twisted.blockon(opening)
    yield opened
    pytest_twisted.blockon(ensureDeferred(opened.close()))


async def depart(stage: RealAsteriskHarness, context: str, argument: str) -> Departure:
    """Send a call to one of the contexts, as the attendant does."""
    everything = await stage.listen("monitor", subscribeAll="true")
    call = await stage.call(await stage.listen())
    channel = f"/channels/{call.id}"
    given = {"variable": "CHANNEL_AA_ARGUMENT", "value": argument}
    assert (await stage.ari.post(f"{channel}/variable", **given)).status == 204
    there = {"context": context, "extension": "s", "priority": "1"}
    assert (await stage.ari.post(f"{channel}/continue", **there)).status == 204
    return Departure(stage, everything, call)


async def messages(asterisk: Asterisk) -> int:
    """Return how many messages wait for the only mailbox."""
    line = next(
        each
        for each in (await asterisk.cli("voicemail show users")).splitlines()
        if "Ada Byron" in each
    )
    return int(line.split()[-1])


@pytest_twisted.ensureDeferred
async def test_a_message_is_left_in_a_mailbox(
    stage: RealAsteriskHarness, asterisk: Asterisk
) -> None:
    before = await messages(asterisk)
    departure = await depart(stage, "channel-aa-voicemail", "410")
    await departure.executes("VoiceMail", "410,u")
    # This key passes the greeting over.
    await departure.call.caller.press("#")
    await departure.call.caller.keep_talking()
    assert await departure.variable("VMSTATUS") == "SUCCESS"
    await departure.everything.wait_for_type("ChannelDestroyed", departure.call.id)
    assert await messages(asterisk) == before + 1


@pytest_twisted.ensureDeferred
@pytest.mark.parametrize(("key", "place"), [("0", OPERATOR), ("*", MENU)])
async def test_a_key_leads_out_of_a_mailbox(
    stage: RealAsteriskHarness, key: str, place: tuple[str, str]
) -> None:
    departure = await depart(stage, "channel-aa-voicemail", "410@default")
    await departure.executes("VoiceMail", "410@default,u")
    await departure.call.caller.press(key)
    await departure.arrives_at(place)


@pytest_twisted.ensureDeferred
async def test_a_queue_connects_with_a_member(stage: RealAsteriskHarness) -> None:
    departure = await depart(stage, "channel-aa-queue", "support")
    await departure.executes("Queue", "support,,,,300")
    await departure.everything.wait_for(
        lambda it: (
            it.type == "Dial"
            and it.json["dialstatus"] == "ANSWER"
            and it.json["peer"]["name"].startswith("Local/answers@phones")
        )
    )


@pytest_twisted.ensureDeferred
async def test_who_cannot_wait_in_a_queue_gets_the_operator(
    stage: RealAsteriskHarness,
) -> None:
    departure = await depart(stage, "channel-aa-queue", "deserted")
    assert await departure.variable("QUEUESTATUS") == "JOINEMPTY"
    await departure.arrives_at(OPERATOR)


@pytest_twisted.ensureDeferred
async def test_a_name_that_is_spelt_is_dialled(stage: RealAsteriskHarness) -> None:
    departure = await depart(stage, "channel-aa-directory", "default")
    await departure.executes("Directory", "default,phones")
    # Byron, then: yes, that one.
    for key in "297":
        await departure.call.caller.press(key)
    await departure.call.caller.press("1")
    await departure.arrives_at(("phones", "410"))


@pytest_twisted.ensureDeferred
async def test_a_key_leads_out_of_the_directory(stage: RealAsteriskHarness) -> None:
    departure = await depart(stage, "channel-aa-directory", "default")
    await departure.executes("Directory")
    await departure.call.caller.press("0")
    await departure.arrives_at(OPERATOR)


@pytest_twisted.ensureDeferred
@pytest.mark.parametrize(
    ("context", "argument"),
    [
        ("channel-aa-voicemail", "411"),
        ("channel-aa-voicemail", ""),
        ("channel-aa-queue", "unknown"),
        ("channel-aa-queue", ""),
        ("channel-aa-directory", ""),
        # Nothing of a caller's choice becomes a second argument of an application.
        ("channel-aa-voicemail", "410,s"),
        ("channel-aa-voicemail", "410&411"),
        ("channel-aa-queue", 'a" | "1" = "1'),
        ("channel-aa-queue", "support,,,,1"),
        ("channel-aa-directory", "default,elsewhere"),
        ("channel-aa-directory", "${SHELL(id)}"),
    ],
)
async def test_what_is_not_there_leads_to_the_operator(
    stage: RealAsteriskHarness, context: str, argument: str
) -> None:
    departure = await depart(stage, context, argument)
    logged = await departure.executes("Log")
    assert logged.json["dialplan_app_data"].startswith("WARNING,No ")
    await departure.arrives_at(OPERATOR)
