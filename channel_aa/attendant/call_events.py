"""The events of a call, for observers: the log, the records, a program."""

from __future__ import annotations

from enum import Enum

import msgspec

from channel_aa.dialogue.digits import Match

__all__ = [
    "ActionStarted",
    "CallEnded",
    "CallEvent",
    "CallStarted",
    "CallerIdentified",
    "CallerRecorded",
    "ConversationEnded",
    "ConversationStarted",
    "EndReason",
    "KeysEntered",
    "Match",
    "MenuEntered",
    "NoInput",
    "PhoneDialled",
    "RecordingFailed",
    "SoundFailed",
]


class EndReason(Enum):
    """Why a call has ended."""

    CALLER = "caller"
    """The caller hung up."""

    ATTENDANT = "attendant"
    """The action ``hangup``."""

    DIALPLAN = "dialplan"
    """An action: the call continues in the dialplan."""

    LIMIT = "limit"
    """It has reached ``max_call_seconds``; the attendant hung up."""

    OVERLOAD = "overload"
    """Refused because of ``max_calls``; it continues in the dialplan."""

    LOOP = "loop"
    """Refused because of ``max_forwards``; it continues in the dialplan."""

    STOPPING = "stopping"
    """The attendant stops; the call continues in the dialplan, or its conversation
    goes on in Asterisk."""

    ERROR = "error"
    """A request or an action failed; the call continues in the dialplan."""

    REPLACED = "replaced"
    """Another program has taken over the application and its calls."""


class CallEvent(msgspec.Struct, frozen=True, kw_only=True, tag_field="event", tag=True):
    """Something that has happened in a call.

    ``channel_id`` is the unique id of the caller's channel at the call's start, and
    the same in all events of a call; ``seconds`` is the time since the start.
    """

    channel_id: str
    seconds: float


class CallStarted(CallEvent, frozen=True, kw_only=True):
    """A call has entered, and its first action is known.

    ``channel`` is the channel's name, ``dialled`` the dialled number, and
    ``arguments`` those of ``Stasis``. ``route`` is the index of the route that applies;
    ``None``: none does. ``is_adopted``: an earlier run has accepted it.
    """

    channel: str
    dialled: str
    arguments: tuple[str, ...]
    language: str
    route: int | None
    is_adopted: bool


class CallerIdentified(CallEvent, frozen=True, kw_only=True):
    """Who calls is known.

    That is some time after the start, because only a request tells whether the caller
    withholds the number; a call that ends before has no such event. ``number`` and
    ``name`` are from the network; both are empty if ``is_withheld``. ``channel``,
    ``dialled`` and ``route`` are those of `CallStarted`.
    """

    channel: str
    number: str
    name: str
    is_withheld: bool
    dialled: str
    route: int | None


class MenuEntered(CallEvent, frozen=True, kw_only=True):
    """The caller enters a menu, or comes back to it."""

    menu: str


class KeysEntered(CallEvent, frozen=True, kw_only=True):
    """The caller has entered keys in a menu; those of a secret menu are masked.

    ``match`` is what they are there: an option, an extension or nothing.
    """

    menu: str
    keys: str
    match: Match


class NoInput(CallEvent, frozen=True, kw_only=True):
    """The caller has pressed no key in time."""

    menu: str


class ActionStarted(CallEvent, frozen=True, kw_only=True):
    """An action begins; ``verb`` is its word in the file: ``dial``, ``hangup``."""

    verb: str
    label: str


class PhoneDialled(CallEvent, frozen=True, kw_only=True):
    """A phone has answered, or not; ``outcome`` is a DIALSTATUS: ``ANSWER``."""

    endpoint: str
    outcome: str


class ConversationStarted(CallEvent, frozen=True, kw_only=True):
    """The caller and a phone are being connected."""

    endpoint: str


class ConversationEnded(CallEvent, frozen=True, kw_only=True):
    """The conversation is over, or left to Asterisk when the attendant stops."""


class CallerRecorded(CallEvent, frozen=True, kw_only=True):
    """A recording of the caller is stored under a name in Asterisk."""

    name: str


class RecordingFailed(CallEvent, frozen=True, kw_only=True):
    """A recording of the caller has failed; the log has the reason."""


class SoundFailed(CallEvent, frozen=True, kw_only=True):
    """Asterisk could not play a media URI to the caller."""

    media: str


class CallEnded(CallEvent, frozen=True, kw_only=True):
    """The call has left the attendant; no event follows.

    ``channel`` is the channel's name. ``destination`` says where the call continues, in
    words, if an action has sent it there; ``partner`` is the phone of the conversation
    in which the caller hung up; both may be empty. ``menus`` are the menus from the
    first to the one that the call was in. ``cause`` is that of the caller's hangup
    (ITU-T Q.850), 16 mostly; 0 if the caller has not hung up, or it is unknown.
    """

    channel: str
    reason: EndReason
    destination: str
    partner: str
    menus: tuple[str, ...]
    cause: int = 0
