"""Calls that the attendant's own dialling leads back to it."""

from __future__ import annotations

from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Any

import pytest
import pytest_twisted

from channel_aa.settings import Settings
from tests.support.attendant_harness import running_service
from tests.support.waiting import until

if TYPE_CHECKING:
    from twisted.internet.posixbase import PosixReactorBase

    from tests.support.asterisk_harness import RealAsteriskHarness


pytestmark = pytest.mark.asterisk

REASON = ("CHANNEL_AA_REASON", "loop")


def dialling(url: str, endpoint: str, *, app: str = "channel-aa") -> Settings:
    """Configure an attendant that dials an endpoint for a silent caller."""
    menu = {
        "prompt": ["press-1"],
        "timeout": 0.1,
        "max_noinput": 1,
        "failure": {"dial": endpoint, "else": "hangup"},
    }
    document: dict[str, Any] = {
        "asterisk": {"url": url, "app": app},
        "attendant": {"drain_timeout": 0, "max_forwards": 2},
        "menus": {"main": menu},
    }
    return Settings(**document)


@pytest_twisted.ensureDeferred
@pytest.mark.parametrize(
    ("endpoints", "dials"),
    [
        # By a Goto in the dialplan, by a Dial(), and by a second attendant.
        (["Local/1000@default"], ["Local/1000@default"] * 3),
        (["Local/attendant@phones"], ["Local/attendant@phones"] * 3),
        (["Local/dials-attendant@phones"], ["Local/dials-attendant@phones"] * 3),
        (
            ["Local/1002@default", "Local/1000@default"],
            ["Local/1002@default", "Local/1000@default", "Local/1002@default"],
        ),
    ],
)
async def test_calls_of_a_silent_caller_are_limited(
    reactor: PosixReactorBase,
    backend: RealAsteriskHarness,
    endpoints: list[str],
    dials: list[str],
) -> None:
    everything = await backend.listen_to_everything()
    async with AsyncExitStack() as stack:
        for app, endpoint in zip(("channel-aa", "second"), endpoints, strict=False):
            settings = dialling(backend.url, endpoint, app=app)
            running = running_service(reactor, settings)
            service, log = await stack.enter_async_context(running)
            await until(reactor, lambda: service.is_connected, "a connection")  # noqa: B023
        caller = await backend.place_call("1000")
        set_reason = await everything.wait_for(
            lambda it: (
                it.type == "ChannelVarset"
                and (it.json["variable"], it.json["value"]) == REASON
            )
        )
        looped = set_reason.json["channel"]["name"]
        way = ", ".join(f"menu main dialled {each}" for each in dials)
        reported = f"led the call back 3 times, more than max_forwards: {way}."
        assert len([text for text in log.texts() if reported in text]) == 1
        assert looped != caller.name
        # The dialplan ends that call, and each attendant then the one before.
        await everything.wait_for(
            lambda it: (
                it.type == "ChannelDestroyed"
                and it.json["channel"]["name"] == caller.name
            )
        )
