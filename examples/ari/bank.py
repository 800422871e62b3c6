"""A bank by phone: asks for a PIN, says the balance, or connects the caller to a clerk.

Lead calls to it in the dialplan with ``Stasis(bank)``, and run it with the URL of
Asterisk's HTTP server, and the user and the password of ari.conf::

    python examples/ari/bank.py http://localhost:8088 asterisk asterisk
"""

from __future__ import annotations

from decimal import Decimal
from sys import argv
from typing import TYPE_CHECKING

from channel_aa.ari import Address, AriClient, Channel, DialOutcome, run

if TYPE_CHECKING:
    from collections.abc import Sequence

BALANCES = {"1234": Decimal("350.20"), "4711": Decimal(-12)}
"""The balances of customers, by their PIN."""

CLERK = "PJSIP/410"


async def call(channel: Channel, _arguments: Sequence[str]) -> None:
    """Serve a call; a hangup cancels this coroutine, its end hangs up."""
    await channel.answer()
    dialogue = channel.dialogue
    pin = await dialogue.collect(
        prompt="vm-password",
        min_digits=4,
        max_digits=4,
        valid=BALANCES.__contains__,
        invalid="vm-incorrect",
    )
    if pin is None:
        await dialogue.play("vm-goodbye")
        return
    prompt = ("vm-press", "digits/1", "vm-press", "digits/2")
    while choice := await dialogue.choose("12", prompt=prompt):
        if choice == "1":
            await dialogue.play("vm-youhave", dialogue.say.money(BALANCES[pin]))
        elif not await connect(channel, CLERK):
            await dialogue.play("vm-isonphone")


async def connect(channel: Channel, endpoint: str) -> bool:
    """Let the caller speak with a phone; return whether it has answered."""
    phone = channel.dial(endpoint, ring_seconds=20)
    if await phone.outcome is not DialOutcome.ANSWERED:
        return False
    await phone.connect()
    return True


if __name__ == "__main__":
    _, url, username, password = argv
    address = Address(url=url, username=username, password=password, app="bank")
    run(AriClient(address, on_call=call))
