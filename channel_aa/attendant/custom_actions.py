"""Actions that an embedding program registers, and what they get of a call."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Iterator
from contextlib import contextmanager
from inspect import signature
from typing import TYPE_CHECKING, TypeAlias

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.defer import TimeoutError as DeferredTimeoutError

from channel_aa.attendant.deferreds import PausableTimer, cancellable
from channel_aa.attendant.dialing import dial
from channel_aa.attendant.exits import hang_up
from channel_aa.attendant.prompts import play_prompt
from channel_aa.attendant.recording import record
from channel_aa.dialogue.questions import Questions
from channel_aa.dialogue.say import Say
from channel_aa.interfaces import ChannelGoneError
from channel_aa.logs import Logger
from channel_aa.menus.actions import (
    HANGUP,
    KEYWORDS,
    REPEAT,
    Action,
    Dial,
    GoTo,
    Keyword,
    Named,
    Record,
    Run,
)
from channel_aa.menus.sounds import Sound, prompt_of
from channel_aa.problems import ConfigError, Problem, quoted, unknown_name

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from channel_aa.attendant.context import CallContext
    from channel_aa.menus.flow import CallFlow

__all__ = [
    "Caller",
    "CustomAction",
    "Prompt",
]

_log = Logger()


Prompt: TypeAlias = str | Sound | Iterable[str | Sound]
"""What a custom action plays: sounds as in the file, `Sound` objects, or several."""


class Caller(Questions[Prompt]):
    """A caller, as a custom action gets it.

    Its methods wait for the caller, and that does not count for the action's timeout.
    Each raises `ChannelGoneError` if the caller has hung up, although a hangup cancels
    the action, or if the action is over.

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
        say: makes the sounds for numbers and the like, for `play`, in the language of
            the call.
        is_over: whether the action has ended, or its timeout has passed: then each
            method raises `ChannelGoneError`.
    """

    def __init__(self, context: CallContext, timer: PausableTimer) -> None:
        channel = context.channel
        self.channel_id = channel.id
        self.channel_name = channel.name
        self.name = channel.caller_name
        self.number = channel.caller_number
        self.dialled = channel.dialled
        self.arguments: Sequence[str] = context.arguments
        self.digits = context.digits
        self.recording = context.recording
        self.say = Say(context.language)
        self.is_over = False
        self._context = context
        self._timer = timer
        self._waits = 0

    @property
    def _call(self) -> CallContext:
        if self.is_over:
            raise ChannelGoneError("the action has timed out")
        return self._context

    @property
    def _party(self) -> CallContext:
        return self._call

    async def play(self, *sounds: Prompt) -> None:
        """Play sounds; a key stops them, and is kept for the next menu.

        Raises:
            ConfigError: a sound is not usable.
            ChannelGoneError: the caller has hung up.
        """
        prompt = prompt_of(*(sound for each in sounds for sound in _sounds_of(each)))
        with self._waiting():
            await play_prompt(self._call, prompt)

    async def record(self, recording: str | Record) -> str | None:
        """Record the caller.

        Args:
            recording: the name of the recording, or the action, whose ``then`` and
                ``else`` mean nothing here.

        Returns:
            The name that it is stored under; ``None`` if it has failed, which is
            logged, or the caller has dropped it in a review.

        Raises:
            ConfigError: the name is not usable.
            ChannelGoneError: the caller has hung up.
        """
        action = Record(record=recording) if isinstance(recording, str) else recording
        action = action.replace(then=HANGUP, else_=REPEAT)
        with self._waiting():
            if await record(self._call, action) == HANGUP:
                self.recording = self._call.recording
                return self.recording
        return None

    async def dial(self, phone: str | Dial) -> bool:
        """Dial phones, and connect the caller with the first that answers.

        Args:
            phone: the endpoint of a phone, ``PJSIP/410``, or the action, whose ``then``
                and ``else`` mean nothing here.

        Returns:
            Whether a phone has answered; the conversation is over then. The channel
            variable ``DIALSTATUS`` has the outcome.

        Raises:
            ConfigError: the endpoint is not usable.
            ChannelGoneError: the caller has hung up.
        """
        action = Dial(dial=(phone,)) if isinstance(phone, str) else phone
        action = action.replace(then=HANGUP, else_=REPEAT)
        with self._waiting():
            return await dial(self._call, action) == HANGUP

    async def hang_up(self) -> None:
        """Hang up, which cancels the action. Returning ``hangup`` does the same.

        Raises:
            TelephonyError: Asterisk answered with an error, or not at all.
        """
        await hang_up(self._call)

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

    async def _play_prompt(self, prompt: Prompt) -> None:
        await self.play(prompt)

    @contextmanager
    def _waiting(self) -> Iterator[None]:
        """Stop the time of the action meanwhile."""
        self._waits += 1
        self._timer.stop()
        try:
            yield
        finally:
            self._waits -= 1
            if not (self._waits or self.is_over):
                self._timer.start()


def _sounds_of(prompt: Prompt) -> Iterable[str | Sound]:
    return (prompt,) if isinstance(prompt, str | Sound) else prompt


CustomAction: TypeAlias = Callable[..., Awaitable[Action | str | None]]
"""An async callable that an embedding program registers, and that ``run`` names.

It gets a `Caller`, and the ``arguments`` of the ``run`` as keywords. It returns the
next action: an `Action`, a word as in the file (the name of a menu or an entry of
``[actions]``, ``repeat``, ``back``, ``top``, ``hangup``), or ``None``: the current menu
again.

It is cancelled when the caller hangs up, and at its timeout: after so many seconds that
it has spent by itself, without the methods of `Caller`. Keys that were pressed until
then are discarded. It must not block the reactor: all calls would wait.
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
            answer = await _run_with_timeout(action, custom, call)
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
    action: Run, custom: CustomAction, call: CallContext
) -> Action | str | None:
    """Run a custom action, and cancel it at its timeout.

    One that ignores its cancellation goes on without effect on the call.

    Raises:
        DeferredTimeoutError: its timeout has passed.
    """
    is_late = False

    def time_out() -> None:
        nonlocal is_late
        is_late = True
        finished.cancel()

    timer = PausableTimer(call.clock, action.timeout, time_out)
    caller = Caller(call, timer)

    async def run() -> Action | str | None:
        try:
            return await custom(caller, **action.arguments)
        except CancelledError as error:
            raise RuntimeError(
                "the Deferred that the action waited for was cancelled"
            ) from error

    timer.start()
    finished = cancellable(Deferred.fromCoroutine(run()))
    try:
        return await finished
    except CancelledError:
        if not is_late:
            raise
        call.keypad.clear()
        raise DeferredTimeoutError from None
    finally:
        caller.is_over = True
        timer.stop()


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


def check_registered(
    flow: CallFlow, registered: Mapping[str, CustomAction], *, file: str = ""
) -> None:
    """Check that each ``run`` in a call flow fits a registered action.

    Args:
        flow: the call flow.
        registered: the registered actions by name.
        file: the configuration file, with which each problem's place begins.

    Raises:
        ConfigError: with a problem for each ``run`` that does not, or whose arguments
            the registered action does not take.
    """
    in_file = f"{file}: " if file else ""
    problems = []
    for each in flow.all_actions():
        action = each.action
        if not isinstance(action, Run):
            continue
        place = f"{in_file}{each.place}"
        if action.run not in registered:
            problem = _unregistered(action.run, registered)
            problems.append(Problem(f"{place}.run", problem))
        elif problem := _wrong_arguments(action, registered[action.run]):
            problems.append(Problem(f"{place}.arguments", problem))
    if problems:
        raise ConfigError(problems)


def _wrong_arguments(action: Run, custom: CustomAction) -> str:
    try:
        signature(custom).bind(None, **action.arguments)
    except TypeError as error:
        return f"the registered action {quoted(action.run)} does not take them: {error}"
    except ValueError:  # nothing is known of what it takes
        pass
    return ""


def _unregistered(name: str, names: Collection[str]) -> str:
    if names:
        return unknown_name(name, names, kind="registered action")
    return (
        f"{quoted(name)} is not registered: twistd channel-aa has no custom actions,"
        " an embedding program registers them; see examples/caller_lookup.py"
    )
