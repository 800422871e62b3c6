"""A faulty network: a proxy between the daemon and Asterisk, on loopback.

By itself it passes everything on. Told to, it loses, delays, repeats and spoils what
passes, and cuts or freezes the connections.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

from twisted.internet.defer import Deferred
from twisted.internet.endpoints import clientFromString
from twisted.internet.task import deferLater

from tests.support.proxy_links import Handing, Link
from tests.support.wire_messages import Kind, Message

if TYPE_CHECKING:
    from collections.abc import Callable

    from twisted.internet.posixbase import PosixReactorBase
    from twisted.internet.tcp import Port

_OPENS_SECONDS = 90.0
"""Within what time the daemon opens a connection, its own start included."""

_OUT_SECONDS = 0.02
"""In what time the kernel has taken what was written to a socket."""


@dataclass(frozen=True)
class Which:
    """Which messages a fault is about.

    Attributes:
        kind: what they are.
        name: what their name has in it; see `Message.name`.
        text: what an event's JSON has in it, a channel's id for example.
        status: the status of an answer; 0: any.
    """

    kind: Kind
    name: str = ""
    text: str = ""
    status: int = 0

    def matches(self, message: Message) -> bool:
        """Tell whether a message is one of them."""
        return (
            message.kind is self.kind
            and self.name in message.name
            and self.text in message.text
            and self.status in (0, message.status)
        )


def event(kind: str = "", text: str = "") -> Which:
    """Choose events by their type."""
    return Which(Kind.EVENT, kind, text)


def request(name: str = "") -> Which:
    """Choose requests by what is in ``POST channels/1/answer``."""
    return Which(Kind.REQUEST, name)


def answer(name: str = "") -> Which:
    """Choose the answers to such requests."""
    return Which(Kind.ANSWER, name)


HANDSHAKE = Which(Kind.ANSWER, "GET events?", status=101)
"""The answer that opens the daemon's websocket."""


def flip(data: bytes) -> bytes:
    """Turn every bit around: no frame and no answer any more."""
    return bytes(byte ^ 0xFF for byte in data)


@dataclass(eq=False)
class Fault:
    """What happens to some of the messages.

    Attributes:
        which: to which.
        becomes: what is passed on in place of one: pairs of the seconds until then
            and the bytes. What is passed on later than 0 seconds is overtaken.
        begins: with the how many-th of them it begins.
        times: to how many it happens.
        cuts_after: how many seconds later the connections are cut; 0: they are not.
        seen: how many there were.
        happened: fires when it happens for the first time.
    """

    which: Which
    becomes: Callable[[bytes], list[tuple[float, bytes]]]
    begins: int = 1
    times: float = float("inf")
    cuts_after: float = 0.0
    seen: int = 0
    happened: Deferred[None] = field(default_factory=Deferred)

    def applies_to(self, message: Message) -> bool:
        """Count a message, and tell whether it happens to it."""
        if not self.which.matches(message):
            return False
        self.seen += 1
        return 0 <= self.seen - self.begins < self.times

    @property
    def count(self) -> int:
        """To how many it has happened."""
        return int(min(max(self.seen - self.begins + 1, 0), self.times))


class Proxy:
    """Passes connections on to a port of 127.0.0.1, and spoils them when told to.

    Args:
        reactor: the reactor that it runs on.
        port: where Asterisk's web server is.

    Attributes:
        latency: seconds that everything takes in either direction.
        bytes_a_second: what passes on each connection and direction at most; 0: all.
        opened: when the daemon's websocket was opened, each time, by the reactor.
    """

    def __init__(self, reactor: PosixReactorBase, port: int) -> None:
        self.reactor = reactor
        self.latency = 0.0
        self.bytes_a_second = 0.0
        self.opened: list[float] = []
        self.is_frozen = False
        self.asterisk = clientFromString(reactor, f"tcp:127.0.0.1:{port}")
        self.links: set[Link] = set()
        self._faults: list[Fault] = []
        self._listener: Port | None = None
        self.port = 0
        self.listen()

    @property
    def url(self) -> str:
        """Where the daemon finds what it takes for Asterisk."""
        return f"http://127.0.0.1:{self.port}"

    async def opens(self, before: int) -> float:
        """Wait for one websocket more than there were before; tell when it opened."""
        deadline = self.reactor.seconds() + _OPENS_SECONDS
        while len(self.opened) <= before:
            assert self.reactor.seconds() < deadline, "no connection"
            await deferLater(self.reactor, 0.005)
        return self.opened[before]

    def listen(self) -> None:
        """Take connections, after `refuse` on the same port as before."""
        accepting = Handing(lambda: Link(self).daemon)
        listening: Any = self.reactor.listenTCP(
            self.port, accepting, interface="127.0.0.1"
        )
        self._listener = listening
        self.port = listening.getHost().port

    async def refuse(self) -> None:
        """Refuse every new connection."""
        listener, self._listener = self._listener, None
        if listener is not None:
            await cast("Deferred[None]", listener.stopListening())

    async def close(self) -> None:
        """Cut everything, and be gone."""
        self.heal()
        self.cut()
        await self.refuse()

    def cut(self, *, with_reset: bool = True) -> None:
        """End all connections, by a reset or in order; new ones are taken."""
        for link in list(self.links):
            link.cut(with_reset=with_reset)

    def cut_soon(self, seconds: float) -> None:
        """Let nothing more in, and cut all when so many seconds have passed."""
        for link in self.links:
            link.freeze()
        # Not before the reactor's next turn: in this one nothing is written any more.
        self.reactor.callLater(0, self.reactor.callLater, seconds, self.cut)

    def cut_at(
        self,
        which: Which,
        *,
        nth: int = 1,
        delivered: bool = False,
        dying: float = _OUT_SECONDS,
    ) -> Deferred[None]:
        """Cut everything when the n-th such message passes, once.

        Args:
            which: which messages.
            nth: which of them.
            delivered: whether it still arrives.
            dying: seconds from then to the end, in which nothing arrives any more, and
                nobody can tell.

        Returns:
            Fires when the message passes.
        """
        rule = Fault(
            which,
            lambda data: [(0, data)] if delivered else [],
            begins=nth,
            times=1,
            cuts_after=dying,
        )
        return self.add(rule).happened

    def swallow(self, which: Which, *, times: float = float("inf")) -> Fault:
        """Lose such messages."""
        return self.add(Fault(which, lambda _: [], times=times))

    def repeat(self, which: Which) -> Fault:
        """Pass such messages on twice."""
        return self.add(Fault(which, lambda data: [(0, data), (0, data)]))

    def delay(self, which: Which, seconds: float) -> Fault:
        """Pass such messages on late: what follows overtakes them."""
        return self.add(Fault(which, lambda data: [(seconds, data)]))

    def spoil(
        self, which: Which, spoil: Callable[[bytes], bytes], *, nth: int = 1
    ) -> Fault:
        """Pass something else on in the place of the n-th such message."""
        rule = Fault(which, lambda data: [(0, spoil(data))], begins=nth, times=1)
        return self.add(rule)

    def add(self, rule: Fault) -> Fault:
        """Have a fault happen from now on, until `heal`."""
        self._faults.append(rule)
        return rule

    def heal(self) -> None:
        """End all faults; frozen connections go on, with what has gathered."""
        self._faults.clear()
        self.latency = self.bytes_a_second = 0.0
        self.is_frozen = False
        if self._listener is not None:
            self._listener.startReading()
        for link in self.links:
            link.thaw()

    def freeze(self) -> None:
        """Let nothing pass, not even an end: as where all packets are lost.

        A new connection finds nobody who answers, either.
        """
        self.is_frozen = True
        if self._listener is not None:
            self._listener.stopReading()
        for link in self.links:
            link.freeze()

    def fault_for(self, message: Message) -> Fault | None:
        """Say what happens to a message; the first of several faults does."""
        if HANDSHAKE.matches(message):
            self.opened.append(self.reactor.seconds())
        # Each of them counts.
        applying = [rule for rule in self._faults if rule.applies_to(message)]
        return applying[0] if applying else None
