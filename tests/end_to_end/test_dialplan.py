"""The shipped dialplan: a caller gets somebody, or hears that nobody is there."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import pytest_twisted

from real_asterisk.harness import Asterisk
from tests.support.asterisk_harness import RealAsteriskHarness

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from twisted.internet.posixbase import PosixReactorBase

    from real_asterisk.installation import Installation
    from tests.support.raw_ari import Events

pytestmark = pytest.mark.asterisk

OPERATOR = "Local/operator@phones"
NO_SUCH_PHONE = "Local/nobody@phones"
NUMBER = "+441632960001"
UNATTENDED = "No attendant is connected"


async def speaks_to_the_operator(everything: Events, caller: str) -> None:
    await everything.wait_for(
        lambda it: (
            it.type == "Dial"
            and it.json["dialstatus"] == "ANSWER"
            and it.json.get("caller", {}).get("name") == caller
            and it.json["peer"]["name"].startswith(OPERATOR)
        )
    )


async def hears_that_nobody_is_there(everything: Events, caller: str) -> None:
    await everything.wait_for(
        lambda it: (
            it.type == "ChannelVarset"
            and it.json["channel"]["name"] == caller
            and (it.json["variable"], it.json["value"]) == ("PLAYBACKSTATUS", "SUCCESS")
        )
    )
    await everything.wait_for(
        lambda it: (
            it.type == "ChannelDestroyed" and it.json["channel"]["name"] == caller
        )
    )


@pytest_twisted.ensureDeferred
@pytest.mark.parametrize(
    ("operator", "outcome"),
    [
        (OPERATOR, speaks_to_the_operator),
        (NO_SUCH_PHONE, hears_that_nobody_is_there),
        ("", hears_that_nobody_is_there),
    ],
)
@pytest.mark.parametrize("is_attended", [True, False])
async def test_a_call_that_is_not_attended_goes_to_the_operator(
    reactor: PosixReactorBase,
    installation: Installation,
    operator: str,
    outcome: Callable[[Events, str], Awaitable[None]],
    *,
    is_attended: bool,
) -> None:
    """With an attendant, it is one that sends the call on."""
    async with Asterisk.running(
        reactor, operator=operator, installation=installation
    ) as asterisk:
        stage = await RealAsteriskHarness.open(reactor, asterisk)
        everything = await stage.listen("monitor", subscribeAll="true")
        if is_attended:
            call = await stage.call(await stage.listen())
            await stage.ari.post(f"/channels/{call.id}/continue")
            caller = call.caller
        else:
            caller = await stage.place_call("1000")
        await outcome(everything, caller.name)
        await stage.close()
        # What it logs arrives late, but before its end.
        await asterisk.halt()
        assert (UNATTENDED in asterisk.log()) == (not is_attended)


@pytest_twisted.ensureDeferred
@pytest.mark.parametrize("is_attended", [True, False])
async def test_a_number_that_was_dialled_stays_so_for_the_routes(
    reactor: PosixReactorBase, installation: Installation, *, is_attended: bool
) -> None:
    async with Asterisk.running(
        reactor, operator=OPERATOR, installation=installation
    ) as asterisk:
        stage = await RealAsteriskHarness.open(reactor, asterisk)
        everything = await stage.listen("monitor", subscribeAll="true")
        if is_attended:
            call = await stage.call(await stage.listen(), extension=NUMBER)
            assert call.start["channel"]["dialplan"]["exten"] == NUMBER
            await stage.ari.post(f"/channels/{call.id}/continue")
            caller = call.caller
        else:
            caller = await stage.place_call(NUMBER)
        await speaks_to_the_operator(everything, caller.name)
        await stage.close()
