"""Actions that an embedding program registers, and what they get of a call."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, TypeAlias

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.defer import TimeoutError as DeferredTimeoutError

from channel_aa.attendant.deferreds import cancellable
from channel_aa.attendant.prompts import play_prompt
from channel_aa.interfaces import ChannelGoneError
from channel_aa.logs import Logger
from channel_aa.menus.actions import KEYWORDS, REPEAT, Action, GoTo, Keyword, Named, Run
from channel_aa.menus.sounds import prompt_of
from channel_aa.problems import ConfigError, Problem, quoted, unknown_name

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from channel_aa.attendant.context import CallContext
    from channel_aa.menus.flow import CallFlow
    from channel_aa.menus.sounds import Sound

_log = Logger()


class Caller:
    """A caller, as a custom action gets it.

    Attributes:
        channel_id: Asterisk's unique id of the channel.
        channel_name: the channel's name: ``PJSIP/alice-00000001``.
        name: the caller's name, as the network sent it; may be empty. Callers can
            choose any text here.
        number: the caller's number; may be empty, and may be forged. The caller may
            withhold it: then ``get_variable("CALLERID(pres)")`` does not begin with
            ``allowed``, and it must not be shown.
        dialled: the number that was dialled.
        arguments: those of the dialplan's ``Stasis(app,argument,…)``.
        digits: the caller's last entry, which led here.
        recording: the name of the caller's last recording; empty without one.
        is_over: whether the action has ended, or its timeout has passed: then each
            method raises `ChannelGoneError`.
    """

    def __init__(self, context: CallContext) -> None:
        channel = context.channel
        self.channel_id = channel.id
        self.channel_name = channel.name
        self.name = channel.caller_name
        self.number = channel.caller_number
        self.dialled = channel.dialled
        self.arguments: Sequence[str] = context.arguments
        self.digits = context.digits
        self.recording = context.recording
        self.is_over = False
        self._context = context

    @property
    def _call(self) -> CallContext:
        if self.is_over:
            raise ChannelGoneError("the action has timed out")
        return self._context

    async def play(self, *sounds: str | Sound) -> None:
        """Play sounds; a key stops them, and is kept for the next menu.

        Raises:
            ConfigError: a sound is not usable.
            ChannelGoneError: the caller has hung up.
        """
        await play_prompt(self._call, prompt_of(*sounds))

    async def next_key(self, seconds: float) -> str | None:
        """Wait for the next key.

        Args:
            seconds: the timeout.

        Returns:
            The key; ``None`` after the timeout, or if the connection to Asterisk was
            lost meanwhile, and keys with it.
        """
        return await self._call.keypad.next_key(seconds) or None

    async def get_variable(self, name: str) -> str:
        """Read a channel variable or function; empty if it is not set.

        Raises:
            TelephonyError: Asterisk answered with an error, or not at all.
        """
        return await self._call.channel.get_variable(name)

    async def set_variable(self, name: str, value: str) -> None:
        """Set a channel variable or function.

        Raises:
            TelephonyError: Asterisk answered with an error, or not at all.
        """
        await self._call.channel.set_variable(name, value)


CustomAction: TypeAlias = Callable[[Caller], Awaitable[Action | str | None]]
"""An async callable that an embedding program registers, and that ``run`` names.

It returns the next action: an `Action`, a word as in the file (the name of a menu or
an entry of ``[actions]``, ``repeat``, ``back``, ``top``, ``hangup``), or ``None``: the
current menu again. It is cancelled at its timeout, and when the caller hangs up. It
must not block the reactor: all calls would wait.
"""


async def run_custom_action(
    call: CallContext, action: Run, registered: Mapping[str, CustomAction]
) -> Action:
    """Run a registered action; an error in it is logged, and leads to ``else``.

    Args:
        call: the call's context.
        action: names it.
        registered: the custom actions by name.
    """
    custom = registered.get(action.run)
    try:
        if custom is not None:
            answer = await _run_with_timeout(action.timeout, custom, call)
            return _as_action(answer, call)
        _log.error("No action is registered as {name!r}", name=action.run)
    except (CancelledError, ChannelGoneError):
        raise
    except DeferredTimeoutError:
        _log.error(
            "The action {name} for {channel} took longer than {timeout} s",
            name=action.run,
            channel=call.channel.name,
            timeout=action.timeout,
        )
    except Exception:  # noqa: BLE001 - an embedder's fault must not end the call
        _log.failure(
            "The action {name} for {channel} failed",
            name=action.run,
            channel=call.channel.name,
        )
    return REPEAT if action.else_ is None else action.else_


async def _run_with_timeout(
    seconds: float, custom: CustomAction, call: CallContext
) -> Action | str | None:
    """Run a custom action, and cancel it at its timeout.

    One that ignores its cancellation goes on without effect on the call.
    """
    caller = Caller(call)

    async def run() -> Action | str | None:
        try:
            return await custom(caller)
        except CancelledError as error:
            raise RuntimeError(
                "the Deferred that the action waited for was cancelled"
            ) from error

    finished = cancellable(Deferred.fromCoroutine(run()))
    try:
        return await finished.addTimeout(seconds, call.clock)
    finally:
        caller.is_over = True


def _as_action(answer: Action | str | None, call: CallContext) -> Action:
    """Convert what a custom action returned.

    Raises:
        LookupError: it names a menu or an action that does not exist.
        TypeError: it is of another type.
    """
    if answer is None:
        return REPEAT
    if isinstance(answer, str):
        answer = Keyword(word=answer) if answer in KEYWORDS else Named(name=answer)
    if not isinstance(answer, Action):
        raise TypeError(f"it returned {answer!r} instead of an action, a name or None")
    try:
        action = call.plan.resolve(answer)
    except KeyError as error:
        raise LookupError(f"no menu and no action is called {error}") from None
    if isinstance(action, GoTo) and action.menu not in call.plan.digit_maps:
        raise LookupError(f"no menu is called {action.menu!r}")
    return action


def check_registered(flow: CallFlow, names: Collection[str], *, file: str = "") -> None:
    """Check that each ``run`` in a call flow names a registered action.

    Args:
        flow: the call flow.
        names: the names of the registered actions.
        file: the configuration file, with which each problem's place begins.

    Raises:
        ConfigError: with a problem for each ``run`` that does not.
    """
    in_file = f"{file}: " if file else ""
    problems = [
        Problem(f"{in_file}{each.place}.run", _unregistered(each.action.run, names))
        for each in flow.all_actions()
        if isinstance(each.action, Run) and each.action.run not in names
    ]
    if problems:
        raise ConfigError(problems)


def _unregistered(name: str, names: Collection[str]) -> str:
    if names:
        return unknown_name(name, names, kind="registered action")
    return (
        f"{quoted(name)} is not registered: twistd channel-aa has no custom actions,"
        " an embedding program registers them; see examples/caller_lookup.py"
    )
