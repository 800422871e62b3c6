"""The contexts of the shipped dialplan: voicemail, queues, the directory."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import pytest_twisted

from channel_aa.settings import Settings
from tests.support.asterisk_harness import RealAsteriskHarness, StasisCall
from tests.support.attendant_harness import ChannelMonitor, running_service
from tests.support.waiting import until

if TYPE_CHECKING:
    from twisted.internet.posixbase import PosixReactorBase

    from real_asterisk.harness import Asterisk
    from real_asterisk.raw_ari import Event, Events

pytestmark = pytest.mark.asterisk

OPERATOR = ("channel-aa", "operator")
NUMBER = "+441632960000"
MENU = ("channel-aa-menu", NUMBER)


class ContinuedCall:
    """A call that was continued in a context."""

    def __init__(
        self, backend: RealAsteriskHarness, everything: Events, call: StasisCall
    ) -> None:
        self.backend = backend
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


async def continue_in(
    backend: RealAsteriskHarness, context: str, argument: str
) -> ContinuedCall:
    """Continue a call in one of the contexts, with an argument from anywhere."""
    everything = await backend.listen_to_everything()
    call = await backend.call(await backend.listen())
    channel = f"/channels/{call.id}"
    variables = {"CHANNEL_AA_ARGUMENT": argument, "CHANNEL_AA_DIALLED": NUMBER}
    for name, value in variables.items():
        given = {"variable": name, "value": value}
        assert (await backend.ari.post(f"{channel}/variable", **given)).status == 204
    there = {"context": context, "extension": "s", "priority": "1"}
    assert (await backend.ari.post(f"{channel}/continue", **there)).status == 204
    return ContinuedCall(backend, everything, call)


async def count_messages(asterisk: Asterisk) -> int:
    """Return the number of messages in the mailbox."""
    line = next(
        each
        for each in (await asterisk.cli("voicemail show users")).splitlines()
        if "Ada Byron" in each
    )
    return int(line.split()[-1])


@pytest_twisted.ensureDeferred
async def test_voicemail_context_records_a_message(
    backend: RealAsteriskHarness, asterisk: Asterisk
) -> None:
    before = await count_messages(asterisk)
    continued = await continue_in(backend, "channel-aa-voicemail", "410")
    await continued.executes("VoiceMail", "410,u")
    # This key skips the greeting.
    await continued.call.caller.press("#")
    await continued.call.caller.keep_talking()
    assert await continued.variable("VMSTATUS") == "SUCCESS"
    await continued.everything.wait_for_type("ChannelDestroyed", continued.call.id)
    assert await count_messages(asterisk) == before + 1


@pytest_twisted.ensureDeferred
@pytest.mark.parametrize(("key", "place"), [("0", OPERATOR), ("*", MENU)])
async def test_key_leaves_the_mailbox(
    backend: RealAsteriskHarness, key: str, place: tuple[str, str]
) -> None:
    continued = await continue_in(backend, "channel-aa-voicemail", "410@default")
    await continued.executes("VoiceMail", "410@default,u")
    await continued.call.caller.press(key)
    await continued.arrives_at(place)


@pytest_twisted.ensureDeferred
async def test_queue_context_connects_with_a_member(
    backend: RealAsteriskHarness,
) -> None:
    continued = await continue_in(backend, "channel-aa-queue", "support")
    await continued.executes("Queue", "support,,,,300")
    await continued.everything.wait_for(
        lambda it: (
            it.type == "Dial"
            and it.json["dialstatus"] == "ANSWER"
            and it.json["peer"]["name"].startswith("Local/answers@phones")
        )
    )


@pytest_twisted.ensureDeferred
async def test_empty_queue_continues_with_the_operator(
    backend: RealAsteriskHarness,
) -> None:
    continued = await continue_in(backend, "channel-aa-queue", "deserted")
    assert await continued.variable("QUEUESTATUS") == "JOINEMPTY"
    await continued.arrives_at(OPERATOR)


@pytest_twisted.ensureDeferred
async def test_name_spelt_in_the_directory_is_dialled(
    backend: RealAsteriskHarness,
) -> None:
    continued = await continue_in(backend, "channel-aa-directory", "default")
    await continued.executes("Directory", "default,phones")
    # The first letters of Byron, then 1 to confirm.
    for key in "297":
        await continued.call.caller.press(key)
    await continued.call.caller.press("1")
    await continued.arrives_at(("phones", "410"))


@pytest_twisted.ensureDeferred
async def test_key_leaves_the_directory(backend: RealAsteriskHarness) -> None:
    continued = await continue_in(backend, "channel-aa-directory", "default")
    await continued.executes("Directory")
    await continued.call.caller.press("0")
    await continued.arrives_at(OPERATOR)


@pytest_twisted.ensureDeferred
@pytest.mark.parametrize(
    ("context", "argument"),
    [
        ("channel-aa-voicemail", "411"),
        ("channel-aa-voicemail", ""),
        ("channel-aa-queue", "unknown"),
        ("channel-aa-queue", ""),
        ("channel-aa-directory", ""),
        # An argument must not become several arguments of an application.
        ("channel-aa-voicemail", "410,s"),
        ("channel-aa-voicemail", "410&411"),
        ("channel-aa-queue", 'a" | "1" = "1'),
        ("channel-aa-queue", "support,,,,1"),
        ("channel-aa-directory", "default,elsewhere"),
        ("channel-aa-directory", "${SHELL(id)}"),
    ],
)
async def test_unknown_mailbox_queue_or_directory_continues_with_the_operator(
    backend: RealAsteriskHarness, context: str, argument: str
) -> None:
    continued = await continue_in(backend, context, argument)
    logged = await continued.executes("Log")
    assert logged.json["dialplan_app_data"].startswith("WARNING,No ")
    await continued.arrives_at(OPERATOR)


MENUS: dict[str, Any] = {
    "menus": {
        "main": {"prompt": ["press-1"], "options": {"1": {"voicemail": "410"}}},
        "other": {"prompt": ["or"], "timeout": 20, "options": {"2": "mailbox"}},
        "mailbox": {
            "prompt": ["press-2"],
            "timeout": 20,
            "options": {
                "1": {"voicemail": "410"},
                "2": {"directory": "default"},
                "*": "back",
            },
        },
    },
    "routes": [{"did": NUMBER, "to": "other"}],
}
"""Two companies; the menu "other" is that of `NUMBER`."""


@pytest_twisted.ensureDeferred
@pytest.mark.parametrize("key", ["1", "2"])
async def test_caller_comes_back_to_the_menu_and_its_number(
    reactor: PosixReactorBase, backend: RealAsteriskHarness, key: str
) -> None:
    everything = await backend.listen_to_everything()
    settings = Settings(
        **{**MENUS, "asterisk": {"url": backend.url}, "attendant": {"drain_timeout": 0}}
    )
    async with running_service(reactor, settings) as (service, _log):
        await until(reactor, lambda: service.is_connected, "a connection")
        caller = await backend.place_call(NUMBER)
        entered = await everything.wait_for(
            lambda it: (
                it.type == "PlaybackStarted"
                and it.json["playback"]["media_uri"] == "sound:or"
            )
        )
        call_id = entered.json["playback"]["target_uri"].removeprefix("channel:")
        monitor = ChannelMonitor(everything, call_id)
        continued = ContinuedCall(
            backend, everything, StasisCall(call_id, caller, entered.json)
        )
        await caller.press("2")
        await monitor.hears("or", "press-2")
        await caller.press(key)
        if key == "1":
            await continued.executes("VoiceMail", "410,u")
            await caller.press("*")
        else:
            await continued.executes("Directory")
            assert await destination(backend, call_id) == NUMBER
            for digit in "999":
                await caller.press(digit)
        await monitor.hears("press-2")
        assert await destination(backend, call_id) == NUMBER
        await caller.press("*")
        await monitor.hears("or")


async def destination(backend: RealAsteriskHarness, call_id: str) -> str:
    """Return the destination in a call's CDR."""
    path = f"/channels/{call_id}/variable"
    value: str = (await backend.ari.get(path, variable="CDR(dst)")).json["value"]
    return value
