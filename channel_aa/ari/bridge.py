"""A bridge of a program: conferences, holding bridges."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias, TypeVar

from twisted.internet.defer import CancelledError, Deferred, succeed

from channel_aa.ari.events import BridgeData
from channel_aa.ari.playback import Playback
from channel_aa.ari.recording import Recording
from channel_aa.ari.two_party_bridge import add_channels, create_bridge
from channel_aa.ari.wire.errors import AriError, NotFoundError, decode_response
from channel_aa.ari.wire.requests import Request
from channel_aa.interfaces import PlaybackEnd
from channel_aa.logs import Logger

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from twisted.python.failure import Failure

    from channel_aa.ari.api.events import Event
    from channel_aa.ari.channel import Channel
    from channel_aa.ari.outbound import OutboundChannel
    from channel_aa.ari.registry import HandleContext
    from channel_aa.ari.subscriptions import Subscription

E = TypeVar("E", bound="Event")
Member: TypeAlias = "Channel | OutboundChannel | str"
"""A channel, or its id."""

BRIDGE_PREFIX = "channel-aa-shared-bridge-"
"""The prefix of the ids of programs' bridges."""

MIXING = "mixing,dtmf_events"
"""The kind of bridge for conferences and conversations.

With ``mixing`` alone, Asterisk connects two phones directly, if it can, and does not
report their keys.
"""

_log = Logger()


class Bridge:
    """A bridge with any number of channels, whose id is chosen already.

    So handlers of its events can be registered before it exists. `create` makes it, and
    `destroy` removes it; until then it stays in Asterisk, also without channels.

    Args:
        context: what the client's handles share.
        kind: `MIXING`, in which all hear each other, or ``holding``, in which each
            hears the music or the announcements of the bridge only.
        name: its name; may be empty.

    Attributes:
        id: its id.
        name: its name.
        channels: the ids of the channels in it, as events have told.
        is_over: whether it was destroyed, or the client has stopped.
        playbacks, recordings: those on it that are not over.
    """

    resource = "bridges"

    def __init__(self, context: HandleContext, *, kind: str, name: str) -> None:
        self.id = context.ids.new(BRIDGE_PREFIX)
        self.name = name or self.id
        self.channels: frozenset[str] = frozenset()
        self.is_over = False
        self.playbacks: set[Playback] = set()
        self.recordings: set[Recording] = set()
        self._creators: set[Deferred[None]] = set()
        self._is_creating = False
        self._is_created = False
        self._is_watched = False
        self._kind = kind
        self._context = context
        self._subscriptions: list[Subscription[Any]] = []

    def __repr__(self) -> str:
        return f"<Bridge {self.name} id={self.id!r}>"

    @property
    def is_hung_up(self) -> bool:
        """Whether nothing can be played on it any more."""
        return self.is_over

    def on(self, kind: type[E], handler: Callable[[E], object]) -> Subscription[E]:
        """Call a handler with the events of the bridge, until its end.

        Args:
            kind: a class of `channel_aa.ari.api.events`, such as
                ``ChannelEnteredBridge``; `Event` for all of them.
            handler: as for `Events.on`.
        """
        source = f"bridge:{self.id}"
        subscription = self._context.events.on(kind, handler, source=source)
        self._subscriptions.append(subscription)
        return subscription

    def create(self) -> Deferred[None]:
        """Make the bridge, unless it exists.

        So each call that needs it can create it. If a call creates it while another
        one does, both wait for the same request. After its end, it is made anew;
        handlers of its events have ended with it.

        Errors: those of `channel_aa.ari.wire.errors`; a later call tries again.
        """
        if self._is_created and not self.is_over:
            return succeed(None)
        waiting: Deferred[None] = Deferred(self._creators.discard)
        self._creators.add(waiting)
        if not self._is_creating:
            self._is_creating = True
            Deferred.fromCoroutine(self._create()).addBoth(self._creation_ended)
        return waiting

    def _creation_ended(self, result: Failure | None) -> None:
        self._is_creating = False
        self._is_created = result is None
        creators, self._creators = self._creators, set()
        for waiting in creators:
            waiting.callback(result)

    async def _create(self) -> None:
        self.is_over = False
        self._watch()
        # Its first event is not to be missed.
        await self._context.events.settled()
        await create_bridge(
            self._context.sender, self.id, kind=self._kind, name=self.name
        )
        if not self.is_over:
            # Not before: a reconciliation must not look for it.
            self._context.registry.add(self)

    def _watch(self) -> None:
        from channel_aa.ari.api import events  # noqa: PLC0415 - only if needed

        if not self._is_watched:
            self._is_watched = True
            self.on(events.ChannelEnteredBridge, self._changed)
            self.on(events.ChannelLeftBridge, self._changed)
            self.on(events.BridgeDestroyed, lambda _: self.end())

    def add(
        self,
        *members: Member,
        role: str = "",
        mute: bool = False,
        absorb_dtmf: bool = False,
    ) -> Deferred[None]:
        """Add channels; one that is in another bridge leaves that.

        Args:
            *members: the channels.
            role: in a holding bridge: ``participant`` or ``announcer``.
            mute: whether the others do not hear them.
            absorb_dtmf: whether the others do not hear their keys.

        Errors: those of `channel_aa.ari.wire.errors`.
        """
        ids = tuple(map(_id_of, members))
        given = {
            "role": role,
            "mute": "true" if mute else "",
            "absorbDTMF": "true" if absorb_dtmf else "",
        }
        options = {key: text for key, text in given.items() if text}
        adding = add_channels(
            self._context.sender, self.id, ids, options, is_over=lambda: self.is_over
        )
        return Deferred.fromCoroutine(adding).addErrback(self._failed)

    def remove(self, *members: Member) -> Deferred[None]:
        """Take channels out of the bridge; they stay in the application.

        Errors: those of `channel_aa.ari.wire.errors`.
        """
        channels = ",".join(map(_id_of, members))
        return self._command("POST", "removeChannel", query={"channel": channels})

    def play(self, media: str) -> Playback:
        """Start a sound, which all channels in the bridge hear.

        Args:
            media: a media URI: ``sound:conf-onlyperson``.

        Returns:
            The playback; its ``finished`` fires with a `PlaybackEnd`.
        """
        playback = Playback(self._context, self, media)
        playback.begin()
        return playback

    def record(
        self,
        name: str,
        *,
        max_seconds: int = 0,
        max_silence_seconds: int = 0,
        terminator: str = "none",
        beep: bool = False,
        overwrite: bool = False,
    ) -> Recording:
        """Record the audio of the bridge; see `IChannel.record`."""
        return Recording.start(
            self._context,
            self,
            name,
            max_seconds=max_seconds,
            max_silence_seconds=max_silence_seconds,
            terminator=terminator,
            beep=beep,
            overwrite=overwrite,
        )

    def start_music(self, music_class: str = "") -> Deferred[None]:
        """Play music on hold to all channels in the bridge until `stop_music`.

        Args:
            music_class: a class of musiconhold.conf; empty: the default.

        Errors: those of `channel_aa.ari.wire.errors`.
        """
        query = {"mohClass": music_class} if music_class else {}
        return self._command("POST", "moh", query=query)

    def stop_music(self) -> Deferred[None]:
        """End the music on hold. Errors: those of `channel_aa.ari.wire.errors`."""
        return self._command("DELETE", "moh")

    def destroy(self) -> Deferred[None]:
        """Destroy the bridge; the channels in it stay in the application.

        It is repeated after a lost connection; fires when it is done.
        """
        removed = self._context.cleanup.remove("bridges", self.id)
        return removed.addCallback(lambda _: self.end())

    def end(self) -> None:
        """End it here: it does not exist any more."""
        if self.is_over:
            return
        self.is_over = True
        self._is_watched = False
        self.channels = frozenset()
        self._context.registry.discard(self)
        for subscription in self._subscriptions:
            self._context.events.discard(subscription)
        self._subscriptions.clear()
        for playback in list(self.playbacks):
            playback.end(PlaybackEnd.FAILED, "the bridge was destroyed")
        for recording in list(self.recordings):
            recording.channel_ended()

    def check(self) -> Deferred[None]:
        """Query which channels are in it, after a lost connection."""
        return Deferred.fromCoroutine(self._check())

    async def _check(self) -> None:
        for playback in list(self.playbacks):
            playback.check()
        request = Request(method="GET", path=("bridges", self.id))
        try:
            body = await self._context.sender.send(request, idempotent=True)
            found = decode_response(request, body, BridgeData)
        except NotFoundError:
            self.end()
        except (AriError, CancelledError) as error:
            _log.warn("Could not query {bridge}: {error}", bridge=self, error=error)
        else:
            self.channels = frozenset(found.channels)

    def _changed(self, event: Any) -> None:  # noqa: ANN401 - one of two events
        self.channels = frozenset(event.bridge.channels)

    def _command(
        self, method: str, action: str, *, query: Mapping[str, str] | None = None
    ) -> Deferred[None]:
        request = Request(
            method=method, path=("bridges", self.id, action), query=query or {}
        )
        sent = self._context.sender.send(request, idempotent=True)
        return sent.addCallbacks(_ignore, self._failed)

    def _failed(self, failure: Failure) -> Failure:
        error = failure.value
        if isinstance(error, NotFoundError) and "Bridge" in error.message:
            self.end()
        return failure


def _ignore(_body: bytes) -> None:
    """Drop the body of a response, which is empty."""


def _id_of(member: Member) -> str:
    return member if isinstance(member, str) else member.id
