"""One call, from its entry to its end."""

from __future__ import annotations

from typing import TYPE_CHECKING

from twisted.internet.defer import CancelledError, Deferred
from zope.interface import implementer

from channel_aa.attendant.keypad import Keypad
from channel_aa.attendant.prompts import play_prompt
from channel_aa.interfaces import ChannelGoneError, IChannelListener, TelephonyError
from channel_aa.logs import Logger

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from twisted.internet.interfaces import IReactorTime

    from channel_aa.attendant.menu import Menu
    from channel_aa.interfaces import IChannel

_log = Logger()


@implementer(IChannelListener)
class Call:
    """A caller in a menu, as one coroutine.

    The caller's hangup cancels it, wherever it waits; what it waits for (a sound,
    a key, a timer, a request) cleans up after itself.

    Args:
        channel: the caller's channel.
        menu: the menu to offer.
        clock: keeps the time of the menu's silence.
        on_over: called once, when the channel has left.
    """

    def __init__(
        self,
        channel: IChannel,
        menu: Menu,
        *,
        clock: IReactorTime,
        on_over: Callable[[Call], None],
    ) -> None:
        self.channel = channel
        self._menu = menu
        self._keypad = Keypad(clock)
        self._on_over = on_over
        self._is_hung_up = False
        self._has_left = False
        self._attending: Deferred[None] | None = None

    def start(self) -> None:
        """Begin to attend to the caller."""
        self._attending = Deferred.fromCoroutine(self._attend())

    def turn_away(self) -> None:
        """Let the call go on in the dialplan without attending to it."""
        _log.info(
            "{channel} goes on in the dialplan: the attendant is stopping",
            channel=self.channel.name,
        )
        self._attending = Deferred.fromCoroutine(self._leave()).addCallback(
            lambda _was_there: None
        )

    def dtmf_received(self, digit: str) -> None:
        """Take a key; see `IChannelListener`."""
        self._keypad.press(digit)

    def hung_up(self) -> None:
        """Stop everything; see `IChannelListener`."""
        self._is_hung_up = True
        self._stop_attending()

    def left(self) -> None:
        """End the call; see `IChannelListener`."""
        if self._has_left:
            return
        self._has_left = True
        self.hung_up()
        _log.info("{channel} has left the application", channel=self.channel.name)
        self._on_over(self)

    def release(self) -> Deferred[None]:
        """Stop attending, and let the call go on in the dialplan.

        Fires when Asterisk was told so, or could not be; within the bounds of a
        request or two.
        """
        released: Deferred[None] = Deferred()
        if self._attending is None:
            released.callback(None)
            return released

        def pass_on(result: None) -> None:
            released.callback(None)
            return result

        self._attending.addCallback(pass_on)
        self._stop_attending()
        return released

    def _stop_attending(self) -> None:
        if self._attending is not None:
            self._attending.cancel()

    async def _attend(self) -> None:
        _log.info(
            "Channel {channel} has entered the application", channel=self.channel.name
        )
        try:
            await self.channel.answer()
            await self._offer(self._menu)
        except ChannelGoneError:
            return
        except CancelledError:
            pass
        except TelephonyError as error:
            # A caller who hangs up makes requests fail in several ways, some of
            # them before the hangup is told: no trouble, where nobody is left.
            if await self._leave():
                _log.error(
                    "Attending to {channel} failed: {error}",
                    channel=self.channel.name,
                    error=error,
                )
            return
        except Exception:  # noqa: BLE001 - one call's fault must not end another
            _log.failure(
                "Attending to {channel} failed",
                channel=self.channel.name,
            )
        await self._leave()

    async def _offer(self, menu: Menu) -> None:
        while True:
            await self._say(menu.prompt)
            key = await self._keypad.next_key(menu.timeout)
            if key is None:
                _log.info(
                    "Channel {channel} stopped paying attention...",
                    channel=self.channel.name,
                )
                await self._say(menu.noinput)
                continue
            _log.info(
                "Channel {channel} entered {key}", channel=self.channel.name, key=key
            )
            option = menu.options.get(key)
            if option is None:
                _log.info(
                    "Channel {channel} entered an invalid option!",
                    channel=self.channel.name,
                )
                await self._say(menu.nomatch)
            else:
                await self._say(option.media(key))

    async def _say(self, sounds: Iterable[str]) -> None:
        await play_prompt(self.channel, sounds, keypad=self._keypad)

    async def _leave(self) -> bool:
        """Let the call go on in the dialplan; tell whether it was still there."""
        if self._is_hung_up:
            return False
        try:
            await self.channel.continue_in_dialplan()
        except (CancelledError, ChannelGoneError):
            return False
        except TelephonyError as error:
            _log.error(
                "{channel} could not go on in the dialplan: {error}",
                channel=self.channel.name,
                error=error,
            )
        return True
