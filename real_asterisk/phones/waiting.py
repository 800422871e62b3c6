"""Waiting for what phones do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from twisted.internet.task import deferLater

if TYPE_CHECKING:
    from collections.abc import Callable

    from twisted.internet.posixbase import PosixReactorBase

SECONDS = 30.0
"""How many seconds a phone may take for what a test waits for."""

_POLL_SECONDS = 0.01


class PhoneTimeoutError(Exception):
    """A phone did not do in time what was waited for; the message has its trace."""


async def until(
    reactor: PosixReactorBase,
    condition: Callable[[], object],
    describe: Callable[[], str],
    *,
    seconds: float = SECONDS,
) -> None:
    """Wait until a condition is true.

    Args:
        reactor: the reactor of the phones.
        condition: is called again and again.
        describe: returns the message of the error.
        seconds: how long to wait.

    Raises:
        PhoneTimeoutError: the condition was not true in time.
    """
    deadline = reactor.seconds() + seconds
    while not condition():
        if reactor.seconds() > deadline:
            raise PhoneTimeoutError(describe())
        await deferLater(reactor, _POLL_SECONDS)
