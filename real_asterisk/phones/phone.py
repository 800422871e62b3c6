"""A SIP phone on 127.0.0.1 that sends a tone of its own, and hears those of others."""

from __future__ import annotations

from contextlib import asynccontextmanager
from secrets import token_hex
from typing import TYPE_CHECKING

from twisted.internet.defer import Deferred, DeferredList

from real_asterisk.phones.call import Call, State
from real_asterisk.phones.dialog import Dialog
from real_asterisk.phones.sip import Address, Response
from real_asterisk.phones.transactions import TransactionLayer
from real_asterisk.phones.waiting import until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from twisted.internet.posixbase import PosixReactorBase

    from real_asterisk.phones.sip import Message, Request

_CLOSE_SECONDS = 3.0
"""How many seconds Asterisk has to end the calls of a phone that is closed."""


class SipPhone:
    """A phone, registered as a PJSIP endpoint of `real_asterisk.phones.tones.TONES`.

    Args:
        reactor: the reactor to run with.
        port: Asterisk's SIP port.
        name: the endpoint's name: ``alice``.

    Attributes:
        on_call: what it does when it is called. By default it rings; a method of `Call`
            such as ``Call.answer`` or ``Call.reject``, or any other function of a call.
        calls: its calls, in their order.
    """

    def __init__(self, reactor: PosixReactorBase, port: int, name: str) -> None:
        self.name = name
        self.on_call: Callable[[Call], object] = Call.ring
        self.calls: list[Call] = []
        self.reactor = reactor
        self._layer = TransactionLayer(reactor, name, port, self._request_received)
        self._registration = Dialog(self._layer, Address(self._layer.uri(name)))
        self._awaited = 0

    @property
    def hears(self) -> frozenset[str]:
        """Whose tones it hears now, in all its calls."""
        return frozenset[str]().union(*(call.hears for call in self.calls))

    @property
    def messages(self) -> list[Message]:
        """The SIP messages that it has received, in their order."""
        received = self._layer.messages
        return [message for how, message in received if how == "received"]

    @property
    def trace(self) -> str:
        """The SIP messages that it has sent and received, with one line each."""
        return self._layer.trace

    async def register(self, *, seconds: int = 3600) -> None:
        """Register at Asterisk for some seconds; 0: no more."""
        register = self._registration.request("REGISTER", ("Expires", str(seconds)))
        response = await self._layer.send(register)
        assert response.status in {200, 408}, self.trace

    def dial(
        self,
        extension: str,
        *,
        name: str = "",
        number: str = "",
        is_withheld: bool = False,
        diverted_from: str = "",
    ) -> Call:
        """Call an extension.

        Args:
            extension: the extension.
            name: the caller's name, for P-Asserted-Identity (RFC 3325).
            number: the caller's number, for the same; empty: the phone's name.
            is_withheld: whether to ask for privacy (RFC 3323): ``Privacy: id``.
            diverted_from: the number that the call was diverted from, for Diversion
                (RFC 5806); empty: none.
        """
        headers = []
        if name or number or is_withheld:
            identity = Address(self._layer.uri(number or self.name), name)
            headers.append(("P-Asserted-Identity", str(identity)))
        if is_withheld:
            headers.append(("Privacy", "id"))
        if diverted_from:
            address = Address(self._layer.uri(diverted_from))
            headers.append(("Diversion", f"{address};reason=unconditional"))
        call = Call.place(self._layer, extension, headers, self.dial)
        self.calls.append(call)
        return call

    async def send_message(self, text: str) -> None:
        """Send a text message (RFC 3428)."""
        dialog = Dialog(self._layer, Address(self._layer.uri("messages")))
        message = dialog.request("MESSAGE", ("Content-Type", "text/plain"))
        message.body = text.encode()
        response = await self._layer.send(message)
        assert response.status == 202, self.trace

    async def until_called(self) -> Call:
        """Return the next call that it receives, or has received since the last.

        Raises:
            PhoneTimeoutError: there was none in time.
        """
        await until(
            self.reactor,
            lambda: len(self._received()) > self._awaited,
            lambda: f"{self.name} was not called:\n{self.trace}",
        )
        self._awaited += 1
        return self._received()[self._awaited - 1]

    async def until_hears(self, *names: str) -> None:
        """Wait until it hears these and no others; none: silence.

        Args:
            names: the names of phones, and ``asterisk`` for sounds and music.

        Raises:
            PhoneTimeoutError: it did not in time.
        """
        await until(
            self.reactor,
            lambda: self.hears == set(names),
            lambda: f"{self.name} hears {sorted(self.hears)}:\n{self.trace}",
        )

    async def close(self) -> None:
        """Hang up, unregister, and close the socket."""
        active = [call for call in self.calls if call.state is not State.ENDED]
        endings = [Deferred.fromCoroutine(call.hang_up()) for call in active]
        endings.append(Deferred.fromCoroutine(self.register(seconds=0)))
        # An Asterisk that is no longer there ends nothing.
        await DeferredList(endings, consumeErrors=True).addTimeout(
            _CLOSE_SECONDS, self.reactor
        )
        await self._layer.close()
        for call in active:
            call.finish()

    def _received(self) -> list[Call]:
        return [call for call in self.calls if call.is_received]

    def _request_received(self, request: Request) -> None:
        call_id = request.get("Call-ID")
        calls = [call for call in self.calls if call.dialog.call_id == call_id]
        if calls:
            calls[0].request_received(request)
        elif request.method == "INVITE" and not request.address("To").tag:
            call = Call.receive(self._layer, request, self.dial)
            self.calls.append(call)
            self.on_call(call)
        elif request.method != "ACK":
            status = 200 if request.method in {"OPTIONS", "NOTIFY", "MESSAGE"} else 481
            response = Response.to(request, status, token_hex(8))
            self._layer.respond(request, response)


@asynccontextmanager
async def registered_phones(
    reactor: PosixReactorBase, port: int, *names: str
) -> AsyncIterator[list[SipPhone]]:
    """Make phones for a block of code, and close them at its end.

    Args:
        reactor: the reactor to run with.
        port: Asterisk's SIP port.
        names: their names, from `real_asterisk.phones.tones.TONES`.
    """
    phones = [SipPhone(reactor, port, name) for name in names]
    try:
        for phone in phones:
            await phone.register()
        yield phones
    finally:
        await DeferredList([Deferred.fromCoroutine(each.close()) for each in phones])


async def until_speaking(*phones: SipPhone) -> None:
    """Wait until each phone hears all the others, and nothing else.

    Raises:
        PhoneTimeoutError: they did not in time.
    """
    names = {phone.name for phone in phones}

    def describe() -> str:
        heard = [f"{phone.name} hears {sorted(phone.hears)}" for phone in phones]
        return "\n".join([", ".join(heard), *(phone.trace for phone in phones)])

    await until(
        phones[0].reactor,
        lambda: all(phone.hears == names - {phone.name} for phone in phones),
        describe,
    )
