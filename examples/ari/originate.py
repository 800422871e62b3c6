"""Originate and dial: calls two phones, one after the other, and connects them.

It needs nothing in the dialplan, and ends with the conversation. Run it with the URL of
Asterisk's HTTP server, and the user and the password of ari.conf::

    python examples/ari/originate.py http://localhost:8088 asterisk asterisk
"""

from __future__ import annotations

from sys import argv

from channel_aa.ari import (
    Address,
    AriClient,
    ChannelGoneError,
    DialOutcome,
    NotAnsweredError,
    run,
)

FIRST = "PJSIP/410"
SECOND = "PJSIP/411"


async def connect(client: AriClient) -> None:
    """Call both phones; return when they have spoken, or cannot."""
    call = client.prepare_call(FIRST, ring_seconds=20, caller_id="Your call <411>")
    try:
        first = await call.originate()
        first.play("tone:ring;tonezone=us")
        second = first.dial(SECOND, ring_seconds=20)
        outcome = await second.outcome
        for ringing in list(first.playbacks):
            ringing.stop()
        if outcome is DialOutcome.ANSWERED:
            await second.connect()
        else:
            print(f"{SECOND}: {outcome.value}")
            await first.dialogue.play("vm-isonphone")
        await first.hang_up()
    except NotAnsweredError as error:
        print(error)
    except ChannelGoneError:
        print(f"{FIRST} has hung up")


if __name__ == "__main__":
    _, url, username, password = argv
    address = Address(url=url, username=username, password=password, app="originate")
    run(AriClient(address), connect)
