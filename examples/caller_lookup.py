"""A Twisted program that embeds the attendant and adds an action to a menu.

The action looks up the caller's number in a customer database over HTTP, and dials the
customer's clerk. Run the program with the URLs of Asterisk and of the database::

    python examples/caller_lookup.py http://localhost:8088 https://crm.example/callers

It expects ``GET URL/NUMBER`` to answer with JSON, ``{"clerk": "410"}``, or with 404.
The menu's ``run`` names the action; if it times out or fails, ``else`` dials the
operator.
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

from channel_aa.menus.actions import Action, Dial, Run
from channel_aa.menus.menu import Menu
from channel_aa.menus.sounds import prompt_of
from channel_aa.service import AttendantService
from channel_aa.settings import AsteriskSettings, Settings

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
        url: its URL; a lookup appends the number.
    """

    def __init__(self, url: str) -> None:
        self._url = url.rstrip("/")

    async def clerk_of_caller(self, caller: Caller) -> Action:
        """Look up the clerk of a caller, and return the action that dials it.

        The attendant cancels this coroutine when the caller hangs up, and after the
        timeout of the menu's ``run``.
        """
        # The number is untrusted input from the network: it must not change the path.
        number = quote(caller.number or "anonymous", safe="")
        answer = await treq.get(f"{self._url}/{number}", persistent=False)
        if answer.code != 200:  # noqa: PLR2004 - HTTP's for success
            return OPERATOR
        clerk = (await treq.json_content(answer)).get("clerk", "")
        # The database's answer must not become more than an extension.
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
