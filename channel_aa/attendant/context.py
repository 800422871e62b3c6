"""What the actions of a call work with.

`Call` imports the actions, and these import only this module, never `Call`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from channel_aa.attendant.call_events import (
    ConversationEnded,
    ConversationStarted,
    SoundFailed,
)
from channel_aa.attendant.call_log import LOGGED, log_call
from channel_aa.attendant.deferreds import cancellable
from channel_aa.attendant.entry_log import EntryLog
from channel_aa.attendant.navigation import CallPath, MenuHistory
from channel_aa.dialogue.keypad import Keypad
from channel_aa.interfaces import ChannelGoneError, HangupReason, TelephonyError
from channel_aa.logs import Logger

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from twisted.internet.defer import Deferred
    from twisted.internet.interfaces import IReactorTime

    from channel_aa.attendant.call_events import CallEvent, EndReason
    from channel_aa.attendant.navigation import CallPlan
    from channel_aa.interfaces import IChannel, ISpeech

PRESENTATION_VARIABLE = "CALLERID(pres)"
"""Whether the caller's name and number may be shown: ``allowed_not_screened``.

Of ``Privacy: id`` in SIP (RFC 3325) Asterisk makes ``prohib_not_screened``.
"""

WITHHELD = "withheld"
"""Stands for the number of a caller who withholds it."""

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
        observers: called with each `CallEvent`.
        speech: speaks texts; ``None``: texts are left out.

    Attributes:
        keypad: the keys that the caller has pressed.
        entries: logs what they mean.
        history: the menus that the call has entered.
        path: the menus, and the keys that led on from them.
        digits: the caller's last entry; empty after an invalid one, or silence.
        is_secret: whether they must not be shown.
        recording: the name of the caller's last recording; empty without one.
        forwards: the attendant's own dials that led to this call; see `check_forwards`.
        hangup_reason: why the caller is hung up if that comes next: the outcome of the
            last dial. Normal once a menu begins.
        conversation: fires when the caller's conversation with a phone is over;
            ``None`` if there is none.
        partner: the phone of that conversation, or of the one in which the caller hung
            up; empty: none.
        is_hung_up: whether the channel is gone, so that no request makes sense.
        end_reason: why the call ends; ``None`` until that is decided.
        destination: where it continues then, in words; empty: nowhere.
        language: the language of the sounds: ``en``.
    """

    def __init__(
        self,
        channel: IChannel,
        plan: CallPlan,
        *,
        clock: IReactorTime,
        arguments: Sequence[str],
        on_conversation: Callable[[], None],
        observers: Sequence[Callable[[CallEvent], None]] = (),
        speech: ISpeech | None = None,
    ) -> None:
        self.channel = channel
        self.plan = plan
        self.clock = clock
        self.arguments = arguments
        self.keypad = Keypad(clock)
        self.entries = EntryLog(channel, self.keypad, clock=clock)
        self.history = MenuHistory(plan)
        self.path = CallPath()
        self.digits = ""
        self.is_secret = False
        self.recording = ""
        self.forwards: tuple[str, ...] = ()
        self.hangup_reason = HangupReason.NORMAL
        self.conversation: Deferred[None] | None = None
        self.partner = ""
        self.is_hung_up = False
        self.end_reason: EndReason | None = None
        self.destination = ""
        self._presentation_of = ""  # the channel whose presentation is known
        self._is_withheld = False
        self.language = channel.language
        self.speech = speech
        self._on_conversation = on_conversation
        self._observers = observers
        self._channel_id = channel.id
        self._began = clock.seconds()

    def emit(self, kind: type[CallEvent], **data: object) -> None:
        """Log an event, and tell the observers; an error of one harms nothing else.

        It is made only if somebody wants it: most are not for the log.

        Args:
            kind: the class of the event.
            **data: its fields, without those of every `CallEvent`.
        """
        is_logged = kind in LOGGED
        if not (is_logged or self._observers):
            return
        event = kind(
            channel_id=self._channel_id,
            seconds=self.clock.seconds() - self._began,
            **data,
        )
        if is_logged:
            log_call(event)
        for observer in self._observers:
            try:
                observer(event)
            except Exception:  # noqa: BLE001 - an observer may raise anything
                _log.failure("An observer of calls failed")

    def sound_failed(self, media: str) -> None:
        """Tell the observers of a media URI that could not be played."""
        self.emit(SoundFailed, media=media)

    async def caller_number(self) -> str:
        """Return the caller's number, or `WITHHELD`; empty if there is none.

        Only a request tells whether it is withheld. It is sent at the first use, and
        again if another party has taken the caller's place. If it fails, the number is
        treated as withheld: to miss a number does less harm than to reveal one.

        Raises:
            ChannelGoneError: the caller has hung up.
        """
        channel = self.channel
        while channel.caller_number and self._presentation_of != channel.id:
            asked = channel.id
            self._is_withheld = await self._withholds_number()
            self._presentation_of = asked
        number = channel.caller_number
        return WITHHELD if number and self._is_withheld else number

    async def _withholds_number(self) -> bool:
        presentation = ""

        async def read() -> None:
            nonlocal presentation
            presentation = await self.channel.get_variable(PRESENTATION_VARIABLE)

        await self.try_request(
            read(),
            _log.warn,
            "Could not read whether {channel} withholds its number; it is treated as"
            " withheld: {error}",
        )
        return not presentation.startswith("allowed")

    async def set_language(self, language: str) -> None:
        """Set the language of the sounds from now on; an empty one changes nothing."""
        if language and language != self.language:
            await self.set_variable("CHANNEL(language)", language)
            self.language = language

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

    async def converse(self, conversation: Deferred[None], endpoint: str) -> None:
        """Wait for the end of a conversation; discard the keys pressed during it.

        Args:
            conversation: what `IOutboundChannel.connect` returned.
            endpoint: the phone.

        Raises:
            ConversationKeptError: the attendant detaches; the conversation goes on.
        """
        self.conversation = cancellable(conversation)
        self._on_conversation()
        self.partner = endpoint
        self.emit(ConversationStarted, endpoint=endpoint)
        try:
            await self.conversation
        finally:
            self.emit(ConversationEnded)
            if not self.is_hung_up:
                self.partner = ""
            self.conversation = None
            self.keypad.clear()
            self._on_conversation()
