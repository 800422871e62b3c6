"""The shipped dialplan: the operator, or an announcement."""

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
    from real_asterisk.raw_ari import Events

pytestmark = pytest.mark.asterisk

OPERATOR = "Local/operator@phones"
MISSING_PHONE = "Local/nobody@phones"
NUMBER = "+441632960001"
UNATTENDED = "No attendant is connected"


async def until_operator_answers(everything: Events, caller: str) -> None:
    await everything.wait_for(
        lambda it: (
            it.type == "Dial"
            and it.json["dialstatus"] == "ANSWER"
            and it.json.get("caller", {}).get("name") == caller
            and it.json["peer"]["name"].startswith(OPERATOR)
        )
    )


async def until_announcement_and_hangup(everything: Events, caller: str) -> None:
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
        (OPERATOR, until_operator_answers),
        (MISSING_PHONE, until_announcement_and_hangup),
        ("", until_announcement_and_hangup),
    ],
)
@pytest.mark.parametrize("is_attended", [True, False])
async def test_unattended_call_goes_to_the_operator(
    reactor: PosixReactorBase,
    installation: Installation,
    operator: str,
    outcome: Callable[[Events, str], Awaitable[None]],
    *,
    is_attended: bool,
) -> None:
    """If attended, the application continues the call in the dialplan."""
    async with Asterisk.running(
        reactor, operator=operator, installation=installation
    ) as asterisk:
        backend = await RealAsteriskHarness.open(reactor, asterisk)
        everything = await backend.listen_to_everything()
        if is_attended:
            call = await backend.call(await backend.listen())
            await backend.ari.post(f"/channels/{call.id}/continue")
            caller = call.caller
        else:
            caller = await backend.place_call("1000")
        await outcome(everything, caller.name)
        await backend.close()
        # Asterisk's log is complete when it has ended.
        await asterisk.halt()
        assert (UNATTENDED in asterisk.log()) == (not is_attended)


@pytest_twisted.ensureDeferred
@pytest.mark.parametrize("is_attended", [True, False])
async def test_dialled_number_is_kept_for_routes(
    reactor: PosixReactorBase, installation: Installation, *, is_attended: bool
) -> None:
    async with Asterisk.running(
        reactor, operator=OPERATOR, installation=installation
    ) as asterisk:
        backend = await RealAsteriskHarness.open(reactor, asterisk)
        everything = await backend.listen_to_everything()
        if is_attended:
            call = await backend.call(await backend.listen(), extension=NUMBER)
            assert call.start["channel"]["dialplan"]["exten"] == NUMBER
            await backend.ari.post(f"/channels/{call.id}/continue")
            caller = call.caller
        else:
            caller = await backend.place_call(NUMBER)
        await until_operator_answers(everything, caller.name)
        await backend.close()
