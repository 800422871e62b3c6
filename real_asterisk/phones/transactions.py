"""SIP transactions (RFC 3261, section 17) over UDP on 127.0.0.1.

No datagram gets lost on the way, so the phones repeat none. Those that Asterisk repeats
because this process was busy are recognised.
"""

from __future__ import annotations

from secrets import token_hex
from typing import TYPE_CHECKING

from twisted.internet.defer import Deferred, maybeDeferred
from twisted.internet.protocol import DatagramProtocol

from real_asterisk.phones.sip import Request, Response, parse

if TYPE_CHECKING:
    from collections.abc import Callable

    from twisted.internet.interfaces import IDelayedCall
    from twisted.internet.posixbase import PosixReactorBase

    from real_asterisk.phones.sip import Message

HOST = "127.0.0.1"
SECONDS = 32.0
"""How many seconds a response may take: timers B and F."""


class _ClientTransaction:
    """A request that waits for its final response.

    Args:
        request: the request that was sent.
        provisional: is called with each provisional response.
        timer: ends the wait; None: it has been cancelled.
    """

    def __init__(
        self,
        request: Request,
        provisional: Callable[[Response], None] | None,
        timer: IDelayedCall,
    ) -> None:
        self.request = request
        self.final: Deferred[Response] = Deferred()
        self._provisional = provisional
        self._timer = timer

    def receive(self, response: Response) -> None:
        if self._timer.active():
            self._timer.cancel()
        if response.status >= 200:
            self.final.callback(response)
        elif self._provisional is not None:
            self._provisional(response)


class TransactionLayer(DatagramProtocol):
    """Sends requests and responses, and receives those of one Asterisk.

    Args:
        reactor: the reactor to listen with, on a port that the kernel chooses.
        user: the phone's name.
        asterisk_port: the UDP port of Asterisk's SIP transport.
        receive: is called with each new request, also with an ACK.

    Attributes:
        messages: what was ``sent`` and ``received``, in this order.
    """

    noisy = False

    def __init__(
        self,
        reactor: PosixReactorBase,
        user: str,
        asterisk_port: int,
        receive: Callable[[Request], None],
    ) -> None:
        self.reactor = reactor
        self.user = user
        self.messages: list[tuple[str, Message]] = []
        self._asterisk_port = asterisk_port
        self._receive = receive
        self._clients: dict[tuple[str, str], _ClientTransaction] = {}
        self._servers: dict[tuple[str, str], Response | None] = {}
        self._acks: dict[tuple[str, str], Request] = {}
        self._socket = reactor.listenUDP(0, self, interface=HOST)
        self.port: int = self._socket.getHost().port

    @property
    def trace(self) -> str:
        """The messages, with one line each."""
        return "\n".join(
            f"{self.user} {direction} {message.start_line} [{message.get('CSeq')}]"
            for direction, message in self.messages
        )

    def uri(self, user: str) -> str:
        """Return the URI of an extension or phone at Asterisk."""
        return f"sip:{user}@{HOST}:{self._asterisk_port}"

    def via(self) -> tuple[str, str]:
        """Make the header Via of a new transaction."""
        return "Via", f"SIP/2.0/UDP {HOST}:{self.port};branch=z9hG4bK{token_hex(8)}"

    async def send(
        self,
        request: Request,
        provisional: Callable[[Response], None] | None = None,
    ) -> Response:
        """Send a request, and return its final response.

        Without any response in time it is 408 (section 8.1.3.1). The ACK to an INVITE
        that failed is sent here, that to a 2xx by the caller.
        """
        key = request.transaction
        timer = self.reactor.callLater(SECONDS, self._time_out, key)
        transaction = _ClientTransaction(request, provisional, timer)
        self._clients[key] = transaction
        self._write(request)
        return await transaction.final

    def acknowledge(self, ack: Request) -> None:
        """Send the ACK to a final response, and again whenever that is repeated."""
        self._acks[_invitation(ack)] = ack
        self._write(ack)

    def respond(self, request: Request, response: Response) -> None:
        """Send a response; it is repeated when the request is."""
        self._servers[request.transaction] = response
        self._write(response)

    async def close(self) -> None:
        """Close the socket; requests without a response have got 408."""
        for key in list(self._clients):
            self._time_out(key)
        await maybeDeferred(self._socket.stopListening)

    def datagramReceived(self, datagram: bytes, addr: tuple[str, int]) -> None:  # noqa: N802 - Twisted's name
        # RTCP of Asterisk goes to ports that it does not know to be a phone's.
        if addr != (HOST, self._asterisk_port):
            return
        message = parse(datagram)
        self.messages.append(("received", message))
        if isinstance(message, Response):
            self._response_received(message)
        elif message.transaction not in self._servers or message.method == "ACK":
            self._servers.setdefault(message.transaction)
            self._receive(message)
        elif response := self._servers[message.transaction]:
            self._write(response)

    def _response_received(self, response: Response) -> None:
        transaction = self._clients.get(response.transaction)
        if transaction is None:
            ack = self._acks.get(_invitation(response))
            if response.cseq_method == "INVITE" and ack is not None:
                self._write(ack)
            return
        if response.status >= 200:
            del self._clients[response.transaction]
        if response.cseq_method == "INVITE" and response.status >= 300:
            self.acknowledge(_failure_ack(transaction.request, response))
        transaction.receive(response)

    def _time_out(self, key: tuple[str, str]) -> None:
        transaction = self._clients.pop(key)
        transaction.receive(Response.to(transaction.request, 408, ""))

    def _write(self, message: Message) -> None:
        self.messages.append(("sent", message))
        self._socket.write(message.to_bytes(), (HOST, self._asterisk_port))


def _invitation(message: Message) -> tuple[str, str]:
    """Return what an INVITE's responses and its ACK have in common."""
    return message.get("Call-ID"), message.get("CSeq").split()[0]


def _failure_ack(invite: Request, response: Response) -> Request:
    """Make the ACK of the transaction itself (section 17.1.1.3)."""
    headers = [(name, invite.get(name)) for name in ("Via", "From", "Call-ID")]
    number = _invitation(invite)[1]
    headers += [("To", response.get("To")), ("CSeq", f"{number} ACK")]
    headers += [("Max-Forwards", "70")]
    return Request(method="ACK", uri=invite.uri, headers=headers)
