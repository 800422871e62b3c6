"""One call, from its entry to its end."""

from __future__ import annotations

from inspect import CORO_RUNNING, getcoroutinestate
from typing import TYPE_CHECKING

from twisted.internet.defer import CancelledError, Deferred
from zope.interface import implementer

from channel_aa.attendant.deferreds import cancellable
from channel_aa.attendant.dialing import LeftStandingError
from channel_aa.attendant.execute import follow
from channel_aa.attendant.exits import ERROR, LIMIT, OVERLOAD, end_at_limit, leave
from channel_aa.attendant.keypad import Keypad
from channel_aa.attendant.limits import ActionLoopError
from channel_aa.attendant.navigation import MenuHistory
from channel_aa.attendant.pausable_timer import PausableTimer
from channel_aa.attendant.prompts import play_prompt
from channel_aa.interfaces import ChannelGoneError, IChannelListener, TelephonyError
from channel_aa.logs import Logger
from channel_aa.menus.digits import KEYS

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine, Sequence
    from typing import Any

    from twisted.internet.interfaces import IReactorTime

    from channel_aa.attendant.call_plan import CallPlan
    from channel_aa.interfaces import IChannel
    from channel_aa.menus.sounds import Prompt

_log = Logger()


@implementer(IChannelListener)
class Call:
    """A caller in the menus, as one coroutine.

    The caller's hangup cancels it, wherever it waits; what it waits for (a sound,
    a key, a timer, a request, a phone) cleans up after itself.

    Args:
        channel: the caller's channel.
        offer: what the caller is offered.
        clock: keeps the time.
        arguments: those of the dialplan's ``Stasis(app,argument,…)``.
        on_change: called when a conversation begins or ends, and, once, when the
            channel has left.

    Attributes:
        keypad: the keys that the caller has pressed.
        way: the menus that the call is in.
        digits: what the caller pressed to get here.
        recording: the name of the caller's last recording.
        is_hung_up: whether nobody is there any more.
        has_left: whether the channel has left the application: all is over.
    """

    def __init__(
        self,
        channel: IChannel,
        offer: CallPlan,
        *,
        clock: IReactorTime,
        arguments: Sequence[str] = (),
        on_change: Callable[[Call], None],
    ) -> None:
        self.channel = channel
        self.offer = offer
        self.clock = clock
        self.arguments = arguments
        self.keypad = Keypad(clock)
        self.way = MenuHistory(offer)
        self.digits = ""
        self.recording = ""
        self.is_hung_up = False
        self.has_left = False
        self._language = channel.language
        self._on_change = on_change
        self._is_quiet = False
        self._ending: str | None = None
        self._countdown = PausableTimer(
            clock, offer.flow.max_call_seconds, lambda: self._end(LIMIT)
        )
        self._conversation: Deferred[None] | None = None
        self._coroutine: Coroutine[Deferred[Any], Any, None] | None = None
        self._attending: Deferred[None] | None = None

    # What the attendant does with a call.

    @property
    def is_in_conversation(self) -> bool:
        """Whether the caller speaks with somebody now."""
        return self._conversation is not None

    def start(self, *, is_adopted: bool = False) -> None:
        """Begin to attend to the caller.

        One that is adopted was in a menu before, and is offered the first one again.
        """
        self._countdown.run()
        self._begin(self._attend(is_adopted=is_adopted))

    def turn_away(self, reason: str) -> None:
        """Let the call go on in the dialplan without attending to it.

        The log has no line of one that is turned away because there are too many.
        """
        self._is_quiet = reason == OVERLOAD
        if not self._is_quiet:
            _log.info(
                "{channel} goes on in the dialplan: the attendant is {reason}",
                channel=self.channel.name,
                reason=reason,
            )
        self._ending = reason
        self._begin(self._part())

    def release(self, reason: str) -> Deferred[None]:
        """Stop attending, and let the call go on in the dialplan.

        A conversation is left standing: it needs no attendant until it is over.

        Args:
            reason: why, for the dialplan.

        Returns:
            Fires when Asterisk was told so, or could not be; within the bounds of a
            request or two.
        """
        if self._conversation is not None:
            _log.info(
                "{channel} is left in its conversation", channel=self.channel.name
            )
            self._ending = reason
            self._conversation.errback(LeftStandingError())
            self._depart()
        else:
            self._end(reason)
        return self._parted()

    def abandon(self) -> None:
        """Let go of a call that is another program's now, and of its conversation."""
        if self._conversation is not None:
            self._conversation.errback(LeftStandingError())
        self.left()

    # What the caller does.

    def dtmf_received(self, digit: str) -> None:
        """Take a key; see `IChannelListener`."""
        key = digit.upper()
        if len(key) == 1 and key in KEYS:
            self.keypad.press(key)

    def reconnected(self) -> None:
        """Let a caller who waits hear the menu again; see `IChannelListener`."""
        self.keypad.wake()

    def hung_up(self) -> None:
        """Stop everything; see `IChannelListener`."""
        self.is_hung_up = True
        self._cancel()

    def left(self) -> None:
        """End the call; see `IChannelListener`."""
        if self.has_left:
            return
        self.hung_up()
        if not self._is_quiet:
            _log.info("{channel} has left the application", channel=self.channel.name)
        if self.keypad.ignored:
            _log.warn(
                "{channel} sent {count} keys faster than a telephone can: ignored",
                channel=self.channel.name,
                count=self.keypad.ignored,
            )
        self._depart()

    # What the actions are made of.

    def say(self, prompt: Prompt) -> Awaitable[None]:
        """Play a prompt, which a key interrupts."""
        if self.is_hung_up:
            raise ChannelGoneError("the caller has hung up")
        return play_prompt(
            self.channel,
            prompt,
            keypad=self.keypad,
            clock=self.clock,
            digits=self.digits,
            recording=self.recording,
        )

    async def speak(self, language: str) -> None:
        """Have the sounds in another language from now on; empty: as before."""
        if language and language != self._language:
            await self.set_variable("CHANNEL(language)", language)
            self._language = language

    async def set_variable(self, name: str, value: str) -> bool:
        """Set a channel variable; tell whether it was, for the call goes on anyhow."""
        try:
            await self.channel.set_variable(name, value)
        except ChannelGoneError:
            raise
        except TelephonyError as error:
            _log.error(
                "{channel}: {variable} could not be set: {error}",
                channel=self.channel.name,
                variable=name,
                error=error,
            )
            return False
        return True

    async def converse(self, conversation: Deferred[None]) -> None:
        """Wait for the end of a conversation, whose time is the caller's own.

        Raises:
            LeftStandingError: the attendant stops; the conversation goes on.
        """
        over = cancellable(conversation)
        self._conversation = over
        self._countdown.stop()
        self._on_change(self)
        try:
            await over
        finally:
            self._conversation = None
            self._countdown.run()
            self.keypad.clear()
            self._on_change(self)

    # How it runs, and how it ends.

    async def _attend(self, *, is_adopted: bool) -> None:
        try:
            await self._enter(is_adopted=is_adopted)
            start = self.offer.start(
                dialled=self.channel.dialled, arguments=self.arguments
            )
            await self.speak(start.language)
            await follow(self, start.target)
        except (ChannelGoneError, LeftStandingError):
            return
        except CancelledError:
            pass
        except TelephonyError as error:
            self._ending = self._ending or ERROR
            # A caller who hangs up makes requests fail in several ways, some of
            # them before the hangup is told: no trouble, where nobody is left.
            if await self._part():
                _log.error(
                    "Attending to {channel} failed: {error}",
                    channel=self.channel.name,
                    error=error,
                )
            return
        except ActionLoopError as error:
            self._ending = self._ending or ERROR
            _log.error("{channel}: {error}", channel=self.channel.name, error=error)
        except Exception:  # noqa: BLE001 - one call's fault must not end another
            self._ending = self._ending or ERROR
            _log.failure("Attending to {channel} failed", channel=self.channel.name)
        else:
            return
        finally:
            self._countdown.stop()
        await self._part()

    async def _enter(self, *, is_adopted: bool) -> None:
        channel = self.channel
        if not is_adopted:
            _log.info(
                "Channel {channel} has entered the application", channel=channel.name
            )
            await channel.answer()
            return
        _log.info("Channel {channel} is attended to again", channel=channel.name)
        # Whoever attended to it before may have left it in any state.
        for settle in (channel.stop_ringing, channel.stop_music, channel.answer):
            try:
                await settle()
            except ChannelGoneError:
                raise
            except TelephonyError as error:
                _log.warn(
                    "{channel} may not hear what it should: {error}",
                    channel=channel.name,
                    error=error,
                )

    async def _part(self) -> bool:
        if self._ending == LIMIT:
            await end_at_limit(self)
            return True
        return await leave(self, self._ending or "")

    def _begin(self, coroutine: Coroutine[Deferred[Any], Any, Any]) -> None:
        self._coroutine = coroutine
        self._attending = Deferred.fromCoroutine(coroutine)

    def _end(self, reason: str) -> None:
        """Stop attending, for this reason; the first reason is the one that counts."""
        if self._ending is None:
            self._ending = reason
            self._cancel()

    def _cancel(self) -> None:
        if self._is_running():
            # It can be cancelled only where it waits.
            self.clock.callLater(0, self._cancel)
        elif self._attending is not None:
            self._attending.cancel()

    def _is_running(self) -> bool:
        coroutine = self._coroutine
        return coroutine is not None and getcoroutinestate(coroutine) == CORO_RUNNING

    def _parted(self) -> Deferred[None]:
        parted: Deferred[None] = Deferred()

        def pass_on(result: object) -> object:
            parted.callback(None)
            return result

        if self._attending is None:
            parted.callback(None)
        else:
            self._attending.addBoth(pass_on)
        return parted

    def _depart(self) -> None:
        self.has_left = True
        self._on_change(self)
