"""A Twisted program with the attendant inside, and an action of its own in a menu.

It asks a customer database over HTTP who calls, and sends those it knows to their
clerk. Run it with the URL of Asterisk and that of the database::

    python examples/caller_lookup.py http://localhost:8088 https://crm.example/callers

It expects ``GET URL/NUMBER`` to answer with JSON, ``{"clerk": "410"}``, or with 404.
The menu's ``run`` names the action; where it takes too long or fails, the operator is
rung, as ``else`` says.
"""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import treq
from twisted.internet.defer import Deferred
from twisted.internet.task import react
from twisted.logger import globalLogBeginner, textFileLogObserver

from channel_aa.config import AsteriskSettings, Settings
from channel_aa.menus.actions import Action, Dial, Run
from channel_aa.menus.menu import Menu
from channel_aa.menus.sounds import prompt_of
from channel_aa.service import AttendantService

if TYPE_CHECKING:
    from channel_aa.attendant.custom_actions import Caller

OPERATOR = Dial(dial=("PJSIP/operator",), label="Operator")

MENUS = {
    "main": Menu(
        prompt=prompt_of("press-1"),
        options={
            "1": Run(run="clerk-of-caller", timeout=3, else_=OPERATOR),
            "0": OPERATOR,
        },
    )
}


class Database:
    """The customer database.

    Args:
        url: where it is.
    """

    def __init__(self, url: str) -> None:
        self._url = url.rstrip("/")

    async def clerk_of_caller(self, caller: Caller) -> Action:
        """Find who is in charge of a caller, and ring there.

        What is awaited here is cancelled when the caller hangs up, and when the time
        that the menu allows is over.
        """
        # The number is whatever the network sent: it must not lead to another page.
        number = quote(caller.number or "anonymous", safe="")
        answer = await treq.get(f"{self._url}/{number}", persistent=False)
        if answer.code != 200:  # noqa: PLR2004 - HTTP's for success
            return OPERATOR
        clerk = (await treq.json_content(answer)).get("clerk", "")
        # Nor must what the database says become more than an extension.
        if not re.fullmatch(r"[0-9]{2,6}", clerk):
            return OPERATOR
        await caller.set_variable("CUSTOMER_CLERK", clerk)
        return Dial(dial=(f"PJSIP/{clerk}",), label="Customer", else_=OPERATOR)


def main(reactor: Any, asterisk: str, database: str) -> Deferred[None]:  # noqa: ANN401
    """Serve calls until the program is interrupted."""
    globalLogBeginner.beginLoggingTo([textFileLogObserver(sys.stdout)])
    attendant = AttendantService(
        Settings(asterisk=AsteriskSettings(url=asterisk), menus=MENUS),
        reactor=reactor,
        actions={"clerk-of-caller": Database(database).clerk_of_caller},
    )
    attendant.startService()
    reactor.addSystemEventTrigger("before", "shutdown", attendant.stopService)
    return Deferred()


if __name__ == "__main__":
    react(main, sys.argv[1:])
