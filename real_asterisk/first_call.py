"""A SIP phone calls the attendant that README's commands have installed.

Run by ``scripts/try-readme``, as ``python -m real_asterisk.first_call``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from twisted.internet.task import react

from real_asterisk.phones.call import State
from real_asterisk.phones.phone import registered_phones
from real_asterisk.phones.waiting import until

if TYPE_CHECKING:
    from typing import Any

_SIP_PORT = 5060
_PACKETS_A_SECOND = 50
_MENU_SECONDS = 1.0
"""How long "press 1 or press 2" takes at least, with any voice."""

_FEEDBACK_SECONDS = 0.5
"""How long "you entered 1" takes at least."""


async def _call(reactor: Any) -> None:  # noqa: ANN401 - several interfaces
    async with registered_phones(reactor, _SIP_PORT, "alice") as (alice,):
        placed = alice.dial("1000")

        async def until_heard(seconds: float, what: str) -> None:
            packets = placed.audio.sounding + seconds * _PACKETS_A_SECOND
            await until(
                reactor,
                lambda: placed.audio.sounding >= packets,
                lambda: f"the phone does not hear {what}:\n{alice.trace}",
            )

        await until_heard(_MENU_SECONDS, "the menu")
        print("The phone hears the menu.")  # noqa: T201 - a command
        await placed.press("1")
        await until_heard(_FEEDBACK_SECONDS, "what it pressed")
        print("The phone hears what it pressed.")  # noqa: T201
        await placed.hang_up()
        assert placed.state is State.ENDED


if __name__ == "__main__":
    react(_call)
