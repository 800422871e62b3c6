"""A call's record, and how each event of the call changes it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from channel_aa.attendant.call_events import (
    ActionStarted,
    CallEnded,
    CallerIdentified,
    CallerRecorded,
    CallEvent,
    CallStarted,
    ConversationEnded,
    ConversationStarted,
    EndReason,
    KeysEntered,
    MenuEntered,
    NoInput,
    PhoneDialled,
)
from channel_aa.dialogue.digits import Match

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

LOST = "lost"
"""How a call has ended that was in progress when the daemon was killed, and was gone
when the next one connected."""

ENDS = (*(each.value for each in EndReason), LOST)
"""How calls end: the values of `CallRecord.ended`."""

MAX_TEXT = 1000
"""Texts are cut to this number of characters."""


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """Something that happened in a call.

    Attributes:
        at: when, in seconds since the call's begin.
        kind: ``menu`` (entered), ``keys``, ``silence``, ``action``, ``phone`` (rung),
            ``conversation`` or ``recording``.
        menu: the menu that the call was in; empty: none.
        value: the keys, the action's verb, the phone, or the recording's name.
        outcome: what the keys matched, the action's label, or the phone's DIALSTATUS.
        seconds: the duration of a conversation.
    """

    at: float
    kind: str
    menu: str
    value: str = ""
    outcome: str = ""
    seconds: float | None = None


class CallRecord(msgspec.Struct, kw_only=True):
    """What is known of a call.

    Attributes:
        id: its number in the database; ``None`` before it is stored.
        source: the attendant: the application, and the URL of Asterisk.
        channel_id: the unique id of the caller's channel.
        channel: the channel's name.
        began: when, in seconds since 1970 (UTC).
        caller: the caller's number, ``withheld``, or what stands for the number; empty:
            not known.
        dialled: the dialled number.
        arguments: those of ``Stasis``, separated by commas.
        route: the index of its route; ``None``: none applies.
        language: the language of its sounds at the begin.
        adopted: how many times another run of the daemon has continued it.
        answered: seconds until it was answered; ``None``: it was not.
        seconds: its duration; ``None`` as long as it goes on.
        spoken: the seconds of its conversations.
        path: the menus and what was pressed there: ``main:2>sales:1``.
        ended: one of `ENDS`; empty as long as it goes on.
        end_menu: the menu that it was in at the end; empty: none.
        end_menu_seconds: for how long, if the caller gave up there.
        end_action: the action that ran at the end; empty: a menu played.
        partner: the phone of the conversation in which the caller hung up.
        destination: where it continues in the dialplan, in words.
        run: the run of the daemon that it is in.
        offset: what to add to an event's seconds.
        seen: the seconds of the last event.
        menu: the menu that it is in.
        menu_at: since when.
        action: the action that runs.
        phone: the phone of the conversation.
        phone_at: since when.
        steps: the number of its steps.
    """

    id: int | None = None
    source: str
    channel_id: str
    channel: str
    began: float
    caller: str = ""
    dialled: str
    arguments: str
    route: int | None
    language: str
    adopted: int = 0
    answered: float | None = None
    seconds: float | None = None
    spoken: float = 0.0
    path: str = ""
    ended: str = ""
    end_menu: str = ""
    end_menu_seconds: float | None = None
    end_action: str = ""
    partner: str = ""
    destination: str = ""
    run: str
    offset: float = 0.0
    seen: float = 0.0
    menu: str = ""
    menu_at: float = 0.0
    action: str = ""
    phone: str = ""
    phone_at: float = 0.0
    steps: int = 0

    @classmethod
    def begin(
        cls, event: CallStarted, *, at: float, run: str, source: str
    ) -> CallRecord:
        """Make the record of a call that starts.

        Args:
            event: its first event.
            at: when that was, in seconds since 1970.
            run: the run of the daemon.
            source: the attendant.
        """
        return cls(
            source=source,
            run=run,
            channel_id=event.channel_id,
            channel=text(event.channel),
            began=at - event.seconds,
            dialled=text(event.dialled),
            arguments=text(",".join(event.arguments)),
            route=event.route,
            language=text(event.language),
            adopted=int(event.is_adopted),
        )

    def resume(self, event: CallStarted, *, at: float, run: str) -> None:
        """Continue the record in another run of the daemon; see `begin`."""
        self.run = run
        self.adopted += 1
        self.offset = max(at - event.seconds - self.began, self.seen)
        self.action = ""
        self.phone = ""

    def lose(self) -> None:
        """End the record of a call whose end no run has seen."""
        self.ended = LOST
        self.seconds = self.seen
        self.end_menu = self.menu

    def add(self, event: CallEvent) -> Step | None:
        """Change the record by an event; return the step that it is, if it is one."""
        self.seen = event.seconds + self.offset
        handler = _HANDLERS.get(type(event))
        return None if handler is None else handler(self, event)

    def _identify(self, event: CallerIdentified) -> None:
        self.caller = text(event.number)

    def _enter(self, event: MenuEntered) -> Step:
        menu = event.menu
        self.menu, self.menu_at, self.action = menu, self.seen, ""
        if self.path.split(">")[-1] != menu:
            self.path = text(f"{self.path}>{menu}" if self.path else menu)
        return self._step("menu")

    def _enter_keys(self, event: KeysEntered) -> Step:
        if event.match is not Match.NO_MATCH:
            self.path = text(f"{self.path}:{event.keys}")
        return self._step("keys", event.keys, event.match.value)

    def _miss_input(self, _event: NoInput) -> Step:
        return self._step("silence")

    def _act(self, event: ActionStarted) -> Step:
        if self.answered is None:
            self.answered = self.seen
        self.action = event.verb
        return self._step("action", event.verb, event.label)

    def _dial(self, event: PhoneDialled) -> Step:
        return self._step("phone", event.endpoint, event.outcome)

    def _converse(self, event: ConversationStarted) -> None:
        self.phone, self.phone_at = text(event.endpoint), self.seen

    def _end_conversation(self, _event: ConversationEnded) -> Step:
        seconds = self.seen - self.phone_at
        self.spoken += seconds
        return self._step("conversation", self.phone, seconds=seconds)

    def _record(self, event: CallerRecorded) -> Step:
        return self._step("recording", event.name)

    def _end(self, event: CallEnded) -> None:
        self.ended = event.reason.value
        self.seconds = self.seen
        self.partner = text(event.partner)
        self.destination = text(event.destination)
        self.end_menu = event.menus[-1] if event.menus else ""
        self.end_action = self.action
        is_given_up = event.reason is EndReason.CALLER and not event.partner
        if is_given_up and self.end_menu and self.end_menu == self.menu:
            self.end_menu_seconds = self.seen - self.menu_at

    def _step(
        self,
        kind: str,
        value: str = "",
        outcome: str = "",
        *,
        seconds: float | None = None,
    ) -> Step:
        self.steps += 1
        return Step(
            at=self.seen,
            kind=kind,
            menu=self.menu,
            value=text(value),
            outcome=text(outcome),
            seconds=seconds,
        )


_HANDLERS: Mapping[type[CallEvent], Callable[[CallRecord, Any], Step | None]] = {
    CallerIdentified: CallRecord._identify,  # noqa: SLF001 - of this module
    MenuEntered: CallRecord._enter,  # noqa: SLF001
    KeysEntered: CallRecord._enter_keys,  # noqa: SLF001
    NoInput: CallRecord._miss_input,  # noqa: SLF001
    ActionStarted: CallRecord._act,  # noqa: SLF001
    PhoneDialled: CallRecord._dial,  # noqa: SLF001
    ConversationStarted: CallRecord._converse,  # noqa: SLF001
    ConversationEnded: CallRecord._end_conversation,  # noqa: SLF001
    CallerRecorded: CallRecord._record,  # noqa: SLF001
    CallEnded: CallRecord._end,  # noqa: SLF001
}


def text(value: str) -> str:
    """Return text that every database stores: cut, without NULs and surrogates."""
    cut = value[:MAX_TEXT].replace("\0", "")
    return cut.encode(errors="replace").decode()
