"""Actions of an embedding program's own, and what they know of the caller."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, TypeAlias

from twisted.internet.defer import (
    CancelledError,
    Deferred,
)
from twisted.internet.defer import (
    TimeoutError as DeferredTimeoutError,
)

from channel_aa.attendant.deferreds import cancellable
from channel_aa.interfaces import ChannelGoneError
from channel_aa.logs import Logger
from channel_aa.menus.actions import KEYWORDS, REPEAT, Action, GoTo, Keyword, Named
from channel_aa.menus.sounds import prompt_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from channel_aa.attendant.call import Call
    from channel_aa.menus.actions import Run
    from channel_aa.menus.sounds import Sound

_log = Logger()


class Caller:
    """A caller, for an action of an embedding program's own.

    Attributes:
        channel_id: Asterisk's unique id of the channel.
        channel_name: the channel's name: ``PJSIP/alice-00000001``.
        name: who calls, as the network says; may be empty. Anybody can write here
            what they like.
        number: the number that calls; may be empty, and may be forged.
        dialled: the number that was dialled.
        arguments: those of the dialplan's ``Stasis(app,argument,…)``.
        digits: what the caller pressed to get here.
        recording: the name of the caller's last recording; empty without one.
        is_over: whether the action's time is over: then nothing can be done any more.
    """

    def __init__(self, call: Call) -> None:
        channel = call.channel
        self.channel_id = channel.id
        self.channel_name = channel.name
        self.name = channel.caller_name
        self.number = channel.caller_number
        self.dialled = channel.dialled
        self.arguments: Sequence[str] = call.arguments
        self.digits = call.digits
        self.recording = call.recording
        self.is_over = False
        self._attended = call

    @property
    def _call(self) -> Call:
        if self.is_over:
            raise ChannelGoneError("the time of this action is over")
        return self._attended

    async def play(self, *sounds: str | Sound) -> None:
        """Play sounds; a key stops them, and is kept for the menu that follows.

        Raises:
            ConfigError: one of them is not usable.
        """
        await self._call.say(prompt_of(*sounds))

    async def next_key(self, seconds: float) -> str | None:
        """Give the next key, or ``None`` after so many seconds without one."""
        return await self._call.keypad.next_key(seconds) or None

    async def get_variable(self, name: str) -> str:
        """Read a channel variable or function; empty where it is not set.

        Raises:
            TelephonyError: Asterisk does not say.
        """
        return await self._call.channel.get_variable(name)

    async def set_variable(self, name: str, value: str) -> None:
        """Set a channel variable or function.

        Raises:
            TelephonyError: Asterisk does not do so.
        """
        await self._call.channel.set_variable(name, value)


CustomAction: TypeAlias = Callable[[Caller], Awaitable[Action | str | None]]
"""An action of an embedding program's own, which tells what is next.

That is an `Action`, or a word as in the file (the name of a menu or an entry of
``[actions]``, ``repeat``, ``back``, ``top``, ``hangup``), or ``None``: the menu again.
It is cancelled when its time is up, and when the caller hangs up. It must not block:
all calls would wait.
"""


async def run(call: Call, action: Run) -> Action:
    """Run a registered action; what goes wrong in it does no harm to the call."""
    following = await _run(call, action)
    if following is not None:
        return following
    return REPEAT if action.else_ is None else action.else_


async def _run(call: Call, action: Run) -> Action | None:
    """Give what is next; ``None`` where the action did not tell."""
    custom = call.offer.actions.get(action.run)
    if custom is None:
        _log.error("No action is registered as {name!r}", name=action.run)
        return None
    try:
        return _next(await _within(action.timeout, custom, call), call)
    except (CancelledError, ChannelGoneError):
        raise
    except DeferredTimeoutError:
        _log.error(
            "The action {name} for {channel} took longer than {timeout} s",
            name=action.run,
            channel=call.channel.name,
            timeout=action.timeout,
        )
    except Exception:  # noqa: BLE001 - another's fault must not end the call
        _log.failure(
            "The action {name} for {channel} failed",
            name=action.run,
            channel=call.channel.name,
        )
    return None


async def _within(
    seconds: float, custom: CustomAction, call: Call
) -> Action | str | None:
    """Wait for an action as long as it may take, and not a moment longer.

    One that goes on although it is cancelled is left behind.
    """
    caller = Caller(call)

    async def act() -> Action | str | None:
        try:
            return await custom(caller)
        except CancelledError as error:
            raise RuntimeError("what it waited for was cancelled") from error

    over = cancellable(Deferred.fromCoroutine(act()))
    try:
        return await over.addTimeout(seconds, call.clock)
    finally:
        caller.is_over = True


def _next(answer: Action | str | None, call: Call) -> Action:
    if answer is None:
        return REPEAT
    if isinstance(answer, str):
        answer = Keyword(word=answer) if answer in KEYWORDS else Named(name=answer)
    if not isinstance(answer, Action):
        raise TypeError(f"it gave {answer!r}, and not an action, a name or None")
    try:
        action = call.offer.resolve(answer)
    except KeyError as error:
        raise LookupError(f"no menu and no action is called {error}") from None
    if isinstance(action, GoTo) and action.menu not in call.offer.digit_maps:
        raise LookupError(f"no menu is called {action.menu!r}")
    return action
