"""Calls as coroutines of a program."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Sequence
from inspect import CORO_RUNNING, getcoroutinestate
from typing import TYPE_CHECKING, Any, TypeAlias, cast

from twisted.internet.defer import CancelledError, Deferred
from zope.interface import implementer

from channel_aa.ari.channel import Channel
from channel_aa.interfaces import (
    ChannelGoneError,
    IChannelListener,
    IStasisApplication,
    TelephonyError,
)
from channel_aa.logs import Logger

if TYPE_CHECKING:
    from twisted.internet.interfaces import IReactorTime

    from channel_aa.interfaces import IChannel

CallHandler: TypeAlias = Callable[[Channel, Sequence[str]], Coroutine[Any, Any, object]]
"""A coroutine function for each call: it gets the channel, and the arguments of the
dialplan's ``Stasis(app,argument,…)``.

The call ends when it returns: the channel is hung up, unless it has left by
`Channel.continue_in_dialplan`. It is cancelled when the caller hangs up. If it raises
an error, that is logged, and the call continues in the dialplan.
"""

_log = Logger()


@implementer(IStasisApplication)
class CoroutineApplication:
    """Runs a coroutine for each call.

    Args:
        on_call: the coroutine function.
        clock: the reactor.
    """

    def __init__(self, on_call: CallHandler, *, clock: IReactorTime) -> None:
        self._on_call = on_call
        self._clock = clock

    def channel_entered(
        self, channel: IChannel, arguments: Sequence[str], *, adopted: bool = False
    ) -> IChannelListener:
        """Start the coroutine; see `IStasisApplication.channel_entered`."""
        del adopted  # as `Channel.is_adopted`
        ours = cast("Channel", channel)  # only `AriClient` calls this
        call = CoroutineCall(ours, clock=self._clock)
        call.start(self._on_call(ours, arguments))
        return call

    def replaced(self) -> None:
        """Do nothing: each call has been told that its channel is gone."""


@implementer(IChannelListener)
class CoroutineCall:
    """A call whose coroutine is cancelled by a hangup.

    Args:
        channel: the caller's channel.
        clock: the reactor.
    """

    def __init__(self, channel: Channel, *, clock: IReactorTime) -> None:
        self._channel = channel
        self._clock = clock
        self._is_gone = False
        self._coroutine: Coroutine[Any, Any, object] | None = None
        self._finished: Deferred[None] | None = None

    def start(self, coroutine: Coroutine[Any, Any, object]) -> None:
        """Run the coroutine, and end the call with it."""
        # From now on, keys are kept for it.
        _ = self._channel.dialogue
        self._coroutine = run = self._run(coroutine)
        self._finished = Deferred.fromCoroutine(run)

    def dtmf_received(self, digit: str) -> None:
        """Do nothing: the channel's dialogue has the key."""

    def hung_up(self) -> None:
        """Cancel the coroutine, once: it may have to wait for its own cleaning up."""
        if not self._is_gone:
            self._is_gone = True
            self._cancel()

    def reconnected(self) -> None:
        """Do nothing: the channel's dialogue is told."""

    def left(self) -> None:
        """Cancel the coroutine, unless the hangup has done so."""
        self.hung_up()

    def _cancel(self) -> None:
        coroutine = self._coroutine
        if coroutine is not None and getcoroutinestate(coroutine) == CORO_RUNNING:
            # A coroutine can be cancelled only while it waits.
            self._clock.callLater(0, self._cancel)
        elif self._finished is not None:
            self._finished.cancel()

    async def _run(self, coroutine: Coroutine[Any, Any, object]) -> None:
        channel = self._channel
        try:
            await coroutine
        except (CancelledError, ChannelGoneError):
            if self._is_gone:
                return
            _log.failure("The call of {channel} was cancelled", channel=channel)
        except Exception:  # noqa: BLE001 - a program's error ends its call only
            _log.failure("The call of {channel} failed", channel=channel)
        else:
            if not (self._is_gone or channel.is_leaving):
                await _try(channel, channel.hang_up(), "hang up {channel}")
            return
        if not channel.is_leaving:
            await leave(channel)


async def send_back(channel: Channel, _arguments: Sequence[str]) -> None:
    """Let a call continue in the dialplan: the program serves none."""
    _log.warn(
        "{channel} has entered an application that serves no calls, and continues in"
        " the dialplan",
        channel=channel.name,
    )
    await channel.continue_in_dialplan()


async def leave(channel: Channel) -> None:
    """Let a channel continue in the dialplan, and log an error of that."""
    await _try(
        channel, channel.continue_in_dialplan(), "continue {channel} in the dialplan"
    )


async def _try(channel: Channel, request: Deferred[None], what: str) -> None:
    try:
        await request
    except (CancelledError, ChannelGoneError):
        pass
    except TelephonyError as error:
        _log.error(f"Could not {what}: {{error}}", channel=channel.name, error=error)
