"""A program's subscriptions to events, and what Asterisk has to send for them."""

from __future__ import annotations

from collections import Counter, deque
from functools import cache, partial
from inspect import iscoroutine
from itertools import count
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Generic, TypeVar, Union
from weakref import WeakSet

import msgspec
from twisted.internet.defer import CancelledError, Deferred, succeed
from twisted.python.failure import Failure

from channel_aa.ari.wire.errors import AriError
from channel_aa.ari.wire.requests import Request
from channel_aa.logs import Logger

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, KeysView, Sequence

    from twisted.internet.interfaces import IReactorTime

    from channel_aa.ari.api.events import Event
    from channel_aa.ari.wire.requests import IRequestSender

E = TypeVar("E", bound="Event")

_numbers = count(1)

_SUBSCRIBED = ("deviceState:", "endpoint:")
"""The sources whose events Asterisk sends only to applications that are subscribed."""

_SOURCES = (*_SUBSCRIBED, "channel:", "bridge:", "playback:", "recording:")


class Subscription(Generic[E]):
    """A handler of the events of a class.

    Args:
        owner: knows the subscriptions of a client.
        kind: the class.
        source: the only source whose events it handles; empty: any.
        handler: called with each event.

    Attributes:
        number: the handlers of an event are called in this order.
    """

    def __init__(
        self,
        owner: Events,
        kind: type[E],
        source: str,
        handler: Callable[[E], object],
    ) -> None:
        self.kind = kind
        self.source = source
        self.handler = handler
        self.number = next(_numbers)
        self.is_cancelled = False
        self._owner = owner

    def cancel(self) -> None:
        """Call the handler no more; harmless if it was called before."""
        self.is_cancelled = True
        self._owner.discard(self)


class EventStream(Generic[E]):
    """Events as they arrive, for ``async for``; ends with `close`, or with the client.

    Events that are not fetched are kept, without a limit.
    """

    def __init__(self) -> None:
        self._subscription: Subscription[E] | None = None
        self._events: deque[E] = deque()
        self._waiting: Deferred[None] | None = None
        self._is_closed = False

    def begin(self, subscription: Subscription[E]) -> None:
        """Take the subscription whose handler is `receive`."""
        self._subscription = subscription

    def receive(self, event: E) -> None:
        """Keep an event until it is fetched."""
        self._events.append(event)
        self._wake()

    def close(self) -> None:
        """End the subscription, and the iteration after the events that have come."""
        if not self._is_closed:
            self._is_closed = True
            if self._subscription is not None:
                self._subscription.cancel()
            self._wake()

    def _wake(self) -> None:
        waiting, self._waiting = self._waiting, None
        if waiting is not None:
            waiting.callback(None)

    def _stop_waiting(self, _waiting: Deferred[None]) -> None:
        self._waiting = None

    async def __aenter__(self) -> EventStream[E]:
        return self

    async def __aexit__(self, *_error: object) -> None:
        self.close()

    def __aiter__(self) -> EventStream[E]:
        return self

    async def __anext__(self) -> E:
        if self._waiting is not None:
            raise RuntimeError("two tasks wait for the next event of one stream")
        while not self._events:
            if self._is_closed:
                raise StopAsyncIteration
            self._waiting = Deferred(self._stop_waiting)
            await self._waiting
        return self._events.popleft()


class Events:
    """A client's events, for the program: any of `channel_aa.ari.api.events`.

    Asterisk sends only events of the classes that are subscribed to, beside those that
    the client itself needs; see `settled`. After a reconnect it sends the same again.
    An event that arrives meanwhile is lost.

    ``source`` restricts a subscription to the events of one object, which need not
    exist yet: ``channel:ID``, ``bridge:ID``, ``playback:ID``, ``recording:NAME``,
    ``endpoint:TECHNOLOGY/RESOURCE``, ``endpoint:TECHNOLOGY`` or ``deviceState:NAME``.
    The application is subscribed to the last three in Asterisk, as long as there is a
    subscription here.

    Args:
        app: the name of the Stasis application.
        requests: carries requests, and fails them without a connection.
        set_filter: makes Asterisk send the events of `types`.
        clock: times `wait_for`.
    """

    _log = Logger()

    def __init__(
        self,
        app: str,
        requests: IRequestSender,
        *,
        set_filter: Callable[[], Awaitable[None]],
        clock: IReactorTime,
    ) -> None:
        self._app = app
        self._requests = requests
        self._set_filter = set_filter
        self._clock = clock
        # By the name of the class, and by source.
        self._subscriptions: dict[str, dict[str, dict[Subscription[Any], None]]] = {}
        self._sources: Counter[str] = Counter()
        # What Asterisk has, or has been asked for, on this connection.
        self._sent_types: set[str] | None = None
        self._sent_sources: set[str] = set()
        self._is_connected = False
        self._is_announced = False
        self._is_updating = False
        self._settled: set[Deferred[None]] = set()
        self._waits: set[Deferred[Any]] = set()
        self._streams: WeakSet[EventStream[Any]] = WeakSet()
        self._on_connected: dict[object, Callable[[], object]] = {}
        self._on_lost: dict[object, Callable[[], object]] = {}
        self._malformed: set[str] = set()

    @property
    def types(self) -> KeysView[str]:
        """The names of the classes that are subscribed to: a live view."""
        return self._subscriptions.keys()

    def on(
        self, kind: type[E], handler: Callable[[E], object], *, source: str = ""
    ) -> Subscription[E]:
        """Call a handler with each event of a class, until the result is cancelled.

        Args:
            kind: the class; `Event` for all of them.
            handler: a function, or a coroutine function. An error in it is logged.
            source: the only source whose events to handle; empty: any.

        Raises:
            ValueError: the source has another form.
            TypeError: the class is none of `channel_aa.ari.api.events`.
        """
        if source and not (
            source.startswith(_SOURCES)
            and source.partition(":")[2]
            and "," not in source
        ):
            raise ValueError(
                f"{source!r} is no source of events: begin it with one of"
                f" {', '.join(_SOURCES)}"
            )
        subscription = Subscription(self, kind, source, handler)
        self._add(subscription)
        return subscription

    def wait_for(
        self,
        kind: type[E],
        *,
        timeout: float,
        source: str = "",
        where: Callable[[E], bool] = lambda _: True,
    ) -> Deferred[E]:
        """Wait for the first event of a class from now on.

        Errors: twisted's `TimeoutError`; `CancelledError` when the client stops.

        Args:
            kind: the class.
            timeout: how long to wait, in seconds.
            source: as for `on`.
            where: tells whether an event is the one.
        """
        waiting: Deferred[E] = Deferred()

        def receive(event: E) -> None:
            if not waiting.called and where(event):
                waiting.callback(event)

        subscription = self.on(kind, receive, source=source)
        self._waits.add(waiting)

        def end(result: Any) -> Any:  # noqa: ANN401 - passed on
            self._waits.discard(waiting)
            subscription.cancel()
            return result

        waiting.addBoth(end)
        return waiting.addTimeout(timeout, self._clock)

    def stream(self, kind: type[E], *, source: str = "") -> EventStream[E]:
        """Return the events of a class from now on, for ``async for``.

        Args:
            kind: the class; `Event` for all of them.
            source: as for `on`.
        """
        stream: EventStream[E] = EventStream()
        subscription = self.on(kind, stream.receive, source=source)
        stream.begin(subscription)
        self._streams.add(stream)
        return stream

    def settled(self) -> Deferred[None]:
        """Fire when Asterisk sends the events of all subscriptions made so far.

        Without a connection, that is after the next one.
        """
        if self._is_connected and not self._is_updating:
            return succeed(None)
        waiting: Deferred[None] = Deferred(self._settled.discard)
        self._settled.add(waiting)
        return waiting

    def on_connected(self, handler: Callable[[], object]) -> Callable[[], object]:
        """Call a handler after each connection, when its subscriptions are made.

        Args:
            handler: a function, or a coroutine function. An error in it is logged.

        Returns:
            A function that ends this.
        """
        return _keep(self._on_connected, handler)

    def on_lost(self, handler: Callable[[], object]) -> Callable[[], object]:
        """Call a handler after the loss of each connection that `on_connected` tells.

        Until the next connection, events are lost.

        Args:
            handler: as for `on_connected`.

        Returns:
            A function that ends this.
        """
        return _keep(self._on_lost, handler)

    def discard(self, subscription: Subscription[Any]) -> None:
        """Remove a subscription, unless it was removed before."""
        source = subscription.source
        for name in _names(subscription.kind):
            sources = self._subscriptions.get(name, {})
            if subscription not in sources.get(source, ()):
                return
            del sources[source][subscription]
            if not sources[source]:
                del sources[source]
            if not sources:
                del self._subscriptions[name]
        if source.startswith(_SUBSCRIBED):
            self._sources[source] -= 1
            if not self._sources[source]:
                del self._sources[source]
        self._changed()

    def move(self, subscription: Subscription[Any], source: str) -> None:
        """Let a subscription go on with another source, unless it is cancelled."""
        if not subscription.is_cancelled:
            self.discard(subscription)
            subscription.source = source
            self._add(subscription)

    def _add(self, subscription: Subscription[Any]) -> None:
        source = subscription.source
        for name in _names(subscription.kind):
            sources = self._subscriptions.setdefault(name, {})
            sources.setdefault(source, {})[subscription] = None
        if source.startswith(_SUBSCRIBED):
            self._sources[source] += 1
        self._changed()

    def find(self, name: str, payload: bytes) -> Sequence[Callable[[], None]]:
        """Return the calls of the handlers of an event.

        Args:
            name: its type.
            payload: the message.
        """
        sources = self._subscriptions.get(name)
        if not sources:
            return ()
        try:
            event = _decoder().decode(payload)
        except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as error:
            self._log_malformed(name, error)
            return ()
        found = list(sources.get("", ()))
        if not found or len(sources) > 1:
            for source in sources_of(event):
                found += sources.get(source, ())
            found.sort(key=attrgetter("number"))
        return [partial(self._call, each, event) for each in found]

    def _log_malformed(self, name: str, error: Exception) -> None:
        if name not in self._malformed:
            self._malformed.add(name)
            self._log.error(
                "Dropped an event that is not as Asterisk describes it; others of its"
                " type will be dropped without a log line: {name}: {error}",
                name=name,
                error=error,
            )

    def _call(self, subscription: Subscription[Any], event: Event) -> None:
        if not subscription.is_cancelled:
            self._run(type(event).__name__, subscription.handler, event)

    def _run(self, event: str, handler: Callable[..., object], *given: Event) -> None:
        try:
            result = handler(*given)
        except Exception:  # noqa: BLE001 - a fault in one must not affect others
            self._log_failure(event, Failure())
            return
        if iscoroutine(result):
            running = Deferred.fromCoroutine(result)
            running.addErrback(partial(self._log_failure, event))

    def _log_failure(self, event: str, failure: Failure) -> None:
        if not failure.check(CancelledError):
            self._log.failure("A handler of {event} failed", failure, event=event)

    async def resume(self) -> None:
        """Make all subscriptions in Asterisk: there is a new connection."""
        self._is_connected = True
        self._sent_types = None
        self._sent_sources = set()
        await self._update()
        if self._is_connected:
            self._is_announced = True
            for handler in list(self._on_connected.values()):
                self._run("the connection", handler)

    def pause(self) -> None:
        """Send nothing: the connection is lost."""
        self._is_connected = False
        was_announced, self._is_announced = self._is_announced, False
        if was_announced:
            for handler in list(self._on_lost.values()):
                self._run("the loss of the connection", handler)

    def stop(self) -> None:
        """End everything that waits: the client stops."""
        self.pause()
        for stream in list(self._streams):
            stream.close()
        for waiting in (*self._waits, *self._settled):
            waiting.cancel()

    def _changed(self) -> None:
        if self._is_connected and not self._is_updating:
            Deferred.fromCoroutine(self._update()).addErrback(
                lambda failure: self._log.failure("Subscribing failed", failure)
            )

    async def _update(self) -> None:
        """Tell Asterisk of all changes, and of those that are made meanwhile."""
        self._is_updating = True
        try:
            while self._is_connected:
                if self._sent_types != (types := set(self.types)):
                    self._sent_types = types
                    await self._set_filter()
                elif added := self._sources.keys() - self._sent_sources:
                    self._sent_sources |= added
                    await self._subscribe("POST", added)
                elif removed := self._sent_sources - self._sources.keys():
                    self._sent_sources -= removed
                    await self._subscribe("DELETE", removed)
                else:
                    break
        finally:
            self._is_updating = False
        if self._is_connected:
            settled, self._settled = self._settled, set()
            for waiting in settled:
                waiting.callback(None)

    async def _subscribe(self, method: str, sources: set[str]) -> None:
        for source in sorted(sources):
            request = Request(
                method=method,
                path=("applications", self._app, "subscription"),
                query={"eventSource": source},
            )
            try:
                await self._requests.send(request)
            except (AriError, CancelledError) as error:
                if self._is_connected:
                    self._log.warn(
                        "Could not change the subscription of {app} to {source}:"
                        " {error}",
                        app=self._app,
                        source=source,
                        error=error,
                    )


def sources_of(event: Event) -> set[str]:
    """Return the sources that an event is about."""
    from channel_aa.ari.api import models  # noqa: PLC0415 - only if needed

    found = set()
    for name in event.__struct_fields__:
        match getattr(event, name):
            case models.Channel(id=each):
                found.add(f"channel:{each}")
            case models.Bridge(id=each):
                found.add(f"bridge:{each}")
            case models.DeviceState(name=each):
                found.add(f"deviceState:{each}")
            case models.Endpoint(technology=each, resource=resource):
                found |= {f"endpoint:{each}", f"endpoint:{each}/{resource}"}
            case models.Playback(id=each, target_uri=target):
                found |= {f"playback:{each}", target}
            case models.LiveRecording(name=each, target_uri=target):
                found |= {f"recording:{each}", target}
    return found


def _keep(
    handlers: dict[object, Callable[[], object]], handler: Callable[[], object]
) -> Callable[[], object]:
    key = object()
    handlers[key] = handler
    return partial(handlers.pop, key, None)


@cache
def _classes() -> tuple[type[Event], ...]:
    from channel_aa.ari.api import events  # noqa: PLC0415 - only if needed

    return tuple(
        each
        for each in vars(events).values()
        if isinstance(each, type)
        and issubclass(each, events.Event)
        and each is not events.Event
    )


@cache
def _decoder() -> msgspec.json.Decoder[Event]:
    return msgspec.json.Decoder(Union[_classes()])  # noqa: UP007 - made from a tuple


def _names(kind: type[Event]) -> list[str]:
    """Return the names of the classes that a subscription to a class has.

    Raises:
        TypeError: it is no class of events.
    """
    names = [each.__name__ for each in _classes() if issubclass(each, kind)]
    if not names:
        raise TypeError(f"{kind!r} is no class of channel_aa.ari.api.events")
    return names
