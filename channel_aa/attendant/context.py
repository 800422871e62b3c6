"""What the actions of a call work with.

`Call` imports the actions, and these import only this module, never `Call`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from channel_aa.attendant.deferreds import cancellable
from channel_aa.attendant.entry_log import EntryLog
from channel_aa.attendant.keypad import Keypad
from channel_aa.attendant.navigation import MenuHistory
from channel_aa.interfaces import ChannelGoneError, TelephonyError
from channel_aa.logs import Logger

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from twisted.internet.defer import Deferred
    from twisted.internet.interfaces import IReactorTime

    from channel_aa.attendant.navigation import CallPlan
    from channel_aa.interfaces import IChannel

_log = Logger()


class ConversationKeptError(Exception):
    """The attendant detaches from a call, and keeps its conversation connected."""


class CallContext:
    """The part of a call that its actions read and change.

    Args:
        channel: the caller's channel.
        plan: the plan that the call follows.
        clock: the clock for its timers.
        arguments: those of the dialplan's ``Stasis(app,argument,…)``.
        on_conversation: called when a conversation begins, and when it has ended.

    Attributes:
        keypad: the keys that the caller has pressed.
        entries: logs what they mean.
        history: the menus that the call has entered.
        digits: the caller's last entry; empty after an invalid one, or silence.
        recording: the name of the caller's last recording; empty without one.
        forwards: the attendant's own dials that led to this call; see `check_forwards`.
        conversation: fires when the caller's conversation with a phone is over;
            ``None`` if there is none.
        is_hung_up: whether the channel is gone, so that no request makes sense.
    """

    def __init__(
        self,
        channel: IChannel,
        plan: CallPlan,
        *,
        clock: IReactorTime,
        arguments: Sequence[str],
        on_conversation: Callable[[], None],
    ) -> None:
        self.channel = channel
        self.plan = plan
        self.clock = clock
        self.arguments = arguments
        self.keypad = Keypad(clock)
        self.entries = EntryLog(channel, self.keypad, clock=clock)
        self.history = MenuHistory(plan)
        self.digits = ""
        self.recording = ""
        self.forwards: tuple[str, ...] = ()
        self.conversation: Deferred[None] | None = None
        self.is_hung_up = False
        self._language = channel.language
        self._on_conversation = on_conversation

    async def set_language(self, language: str) -> None:
        """Set the language of the sounds from now on; an empty one changes nothing."""
        if language and language != self._language:
            await self.set_variable("CHANNEL(language)", language)
            self._language = language

    async def set_variable(self, name: str, value: str) -> bool:
        """Set a channel variable.

        An error is logged, and the call goes on.

        Returns:
            Whether it was set.

        Raises:
            ChannelGoneError: the caller has hung up.
        """
        return await self.try_request(
            self.channel.set_variable(name, value),
            _log.error,
            "Could not set {variable} of {channel}: {error}",
            variable=name,
        )

    async def try_request(
        self,
        request: Awaitable[object],
        log: Callable[..., None],
        message: str,
        **fields: object,
    ) -> bool:
        """Wait for a request, and log its error instead of raising it.

        Args:
            request: the request.
            log: a method of the module's `Logger`.
            message: the format of the log line, with ``{channel}`` and ``{error}``.
            **fields: other fields of the format.

        Returns:
            Whether the request succeeded.

        Raises:
            ChannelGoneError: the caller has hung up.
        """
        try:
            await request
        except ChannelGoneError:
            raise
        except TelephonyError as error:
            log(message, channel=self.channel.name, error=error, **fields)
            return False
        return True

    async def converse(self, conversation: Deferred[None]) -> None:
        """Wait for the end of a conversation; discard the keys pressed during it.

        Args:
            conversation: what `IOutboundChannel.connect` returned.

        Raises:
            ConversationKeptError: the attendant detaches; the conversation goes on.
        """
        self.conversation = cancellable(conversation)
        self._on_conversation()
        try:
            await self.conversation
        finally:
            self.conversation = None
            self.keypad.clear()
            self._on_conversation()
