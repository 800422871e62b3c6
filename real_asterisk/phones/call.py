"""A call of a phone, from its first INVITE to its end."""

from __future__ import annotations

import re
from enum import IntEnum
from typing import TYPE_CHECKING

from twisted.internet.defer import Deferred
from twisted.internet.task import deferLater

from real_asterisk.phones.dialog import Dialog, cancel
from real_asterisk.phones.rtp import AudioStream
from real_asterisk.phones.sdp import SessionDescription
from real_asterisk.phones.sip import Address
from real_asterisk.phones.tones import TONES, tone
from real_asterisk.phones.transactions import HOST
from real_asterisk.phones.waiting import PhoneTimeoutError, until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from real_asterisk.phones.sip import Message, Request, Response
    from real_asterisk.phones.transactions import TransactionLayer

_GLARE_SECONDS = 0.5
"""When an INVITE is repeated that met one of Asterisk's (RFC 3261, section 14.1)."""


class State(IntEnum):
    """How far a call is."""

    CALLING = 0
    RINGING = 1
    UP = 2
    ENDED = 3


class Call:
    """A call: placed with `place`, or received.

    =========  ==================================  ====================================
    state      placed                              received
    =========  ==================================  ====================================
    CALLING    the INVITE is sent                  no response but 100 has been sent
    RINGING    180 or 183 has come                 180, 183 or 200 has been sent
    UP         200 has come                        the ACK to the 200 has come
    ENDED      a BYE or a status above 200, of either side; CANCEL
    =========  ==================================  ====================================

    Attributes:
        state: how far it is.
        status: the last status of the INVITE; 0: none yet.
        invite: the INVITE, with all its headers.
        dialog: the SIP dialog.
        audio: what it sends and hears.
        remote_party: the name and number of the other side that Asterisk has last
            presented, in From or P-Asserted-Identity.
        end: Asterisk's message that ended the call: CANCEL, BYE or the response to the
            INVITE; None: the call goes on, or the phone itself ended it.
        is_received: whether the phone was called.
        is_on_hold: whether the phone holds the other side.
        transfer_status: the last status of a transfer, from NOTIFY; 0: none yet.
        keys: the keys that Asterisk has sent.
    """

    def __init__(
        self,
        layer: TransactionLayer,
        dialog: Dialog,
        invite: Request,
        dial: Callable[[str], Call],
        *,
        is_received: bool,
    ) -> None:
        self.state = State.CALLING
        self.status = 0
        self.dialog = dialog
        self.invite = invite
        self.remote_party = dialog.remote
        self.end: Message | None = None
        self.is_received = is_received
        self.is_on_hold = False
        self.transfer_status = 0
        self.audio = AudioStream(layer.reactor, tone(TONES[layer.user]))
        self._layer = layer
        self._dial = dial
        self._remote: SessionDescription | None = None
        self._descriptions = 0
        self._is_ending = False
        self._is_cancelled = False
        self._is_offering = False

    @classmethod
    def place(
        cls,
        layer: TransactionLayer,
        extension: str,
        headers: Iterable[tuple[str, str]],
        dial: Callable[[str], Call],
    ) -> Call:
        """Send an INVITE.

        Args:
            layer: sends the phone's requests.
            extension: the extension to call.
            headers: further headers of the INVITE.
            dial: places the call of a phone that Asterisk transfers.
        """
        dialog = Dialog(layer, Address(layer.uri(extension)))
        invite = dialog.request("INVITE", *headers)
        call = cls(layer, dialog, invite, dial, is_received=False)
        invite.set_sdp(call._offer())
        Deferred.fromCoroutine(call._place())
        return call

    @classmethod
    def receive(
        cls, layer: TransactionLayer, invite: Request, dial: Callable[[str], Call]
    ) -> Call:
        """Make the call of a received INVITE; the arguments are those of `place`."""
        call = cls(layer, Dialog.of(layer, invite), invite, dial, is_received=True)
        call._take(invite)
        call._respond(100)
        return call

    @property
    def hears(self) -> frozenset[str]:
        """Whose tones it hears now."""
        return self.audio.hears

    @property
    def keys(self) -> str:
        return self.audio.keys

    @property
    def reasons(self) -> list[str]:
        """The headers Reason (RFC 3326) of the message that ended it."""
        return self.end.all("Reason") if self.end is not None else []

    def ring(self) -> None:
        """Respond with 180."""
        self._respond(180)

    def send_early_media(self) -> None:
        """Respond with 183, and send the tone before the answer."""
        self._respond(183, sdp=self._answer())

    def answer(self) -> None:
        """Respond with 200; the call is up when Asterisk has acknowledged it."""
        self._respond(200, sdp=self._answer())

    def reject(self, status: int = 486) -> None:
        """Respond with a status such as 486, busy, or 603, declined."""
        self._respond(status)
        self.finish()

    def redirect(self, extension: str) -> None:
        """Respond with 302 to an extension."""
        self._respond(302, ("Contact", f"<{self._layer.uri(extension)}>"))
        self.finish()

    async def hang_up(self) -> None:
        """End it with CANCEL, 603 or BYE; return when it has ended."""
        self._is_ending = True
        if self.state is State.UP:
            await self._bye()
        elif self.is_received and self.status < 200:
            self.reject(603)
        elif not self.is_received and self.status >= 100:
            await self._cancel()
        # Else Asterisk's next message is awaited: a response, or the ACK.
        await self.until_ended()

    async def until(self, state: State) -> None:
        """Wait until it has a state, or a later one.

        Raises:
            PhoneTimeoutError: it has not, in time; or it has ended instead.
        """
        await until(
            self._layer.reactor,
            lambda: self.state >= state,
            lambda: f"not {state.name}: {self}",
        )
        if self.state is State.ENDED is not state:
            raise PhoneTimeoutError(f"ended, not {state.name}: {self}")

    async def until_up(self) -> None:
        """Wait until it is up."""
        await self.until(State.UP)

    async def until_ringing(self) -> None:
        """Wait until it rings."""
        await self.until(State.RINGING)

    async def until_ended(self) -> None:
        """Wait until it has ended."""
        await self.until(State.ENDED)

    async def hold(self) -> None:
        """Put the other side on hold, with a re-INVITE, once the call is up."""
        await self.until_up()
        await self._renegotiate(is_on_hold=True)

    async def resume(self) -> None:
        """Go on after `hold`."""
        await self._renegotiate(is_on_hold=False)

    async def press(self, keys: str) -> None:
        """Send keys as events in RTP (RFC 4733); return when they are sent."""
        self.audio.press(keys)
        await until(
            self._layer.reactor,
            lambda: not self.audio.is_pressing,
            lambda: f"not sent: {keys}: {self}",
        )

    async def blind_transfer(self, extension: str) -> int:
        """Transfer the other side to an extension (RFC 3515), and hang up.

        Returns:
            The final status: that of the REFER, or that of the last NOTIFY.
        """
        return await self._refer(self._layer.uri(extension))

    async def attended_transfer(self, consultation: Call) -> int:
        """Connect the other sides of two calls, and hang both up.

        Returns:
            The final status, as `blind_transfer`.
        """
        status = await self._refer(self.dialog.refer_to(consultation.dialog))
        if status < 300 and consultation.state is not State.ENDED:
            await consultation.hang_up()
        return status

    def request_received(self, request: Request) -> None:
        """Handle a request within the call."""
        handlers = {
            "INVITE": self._reinvited,
            "UPDATE": self._reinvited,
            "ACK": self._acknowledged,
            "CANCEL": self._cancelled,
            "BYE": self._bye_received,
            "REFER": self._referred,
            "NOTIFY": self._notified,
        }
        if request.method in handlers:
            handlers[request.method](request)
        else:
            self._reply(request, 200)

    def _acknowledged(self, _ack: Request) -> None:
        if self.state is State.RINGING and self.status == 200:
            self.state = State.UP
            self._adapt_audio()
            if self._is_ending:
                Deferred.fromCoroutine(self._bye())

    def _cancelled(self, request: Request) -> None:
        self._reply(request, 200)
        if self.is_received and self.status < 200:
            self._respond(487)
            self.finish(request)

    def _bye_received(self, request: Request) -> None:
        if self.state is State.ENDED:
            self._reply(request, 481)
            return
        self._reply(request, 200)
        self.finish(request)

    def _reinvited(self, request: Request) -> None:
        if self.state is State.ENDED:
            self._reply(request, 481)
        elif self._is_offering:
            self._reply(request, 491)
        else:
            self._take(request)
            is_offer = bool(request.body) or request.method == "INVITE"
            self._reply(request, 200, sdp=self._answer() if is_offer else b"")
            self._adapt_audio()

    def _referred(self, request: Request) -> None:
        """Call the extension that Asterisk transfers the phone to, and say so."""
        self._reply(request, 202)
        call = self._dial(request.address("Refer-To").user)
        Deferred.fromCoroutine(self._report(call))

    async def _report(self, call: Call) -> None:
        await until(
            self._layer.reactor,
            lambda: call.status >= 200,
            lambda: f"transferred in vain: {call}",
        )
        notification = self.dialog.request(
            "NOTIFY",
            ("Event", "refer"),
            ("Subscription-State", "terminated;reason=noresource"),
            ("Content-Type", "message/sipfrag"),
        )
        notification.body = f"SIP/2.0 {call.status} Result\r\n".encode()
        await self._layer.send(notification)

    def _notified(self, request: Request) -> None:
        self._reply(request, 200)
        if match := re.match(rb"SIP/2.0 (\d{3})", request.body):
            self.transfer_status = int(match[1])

    async def _place(self) -> None:
        response = await self._layer.send(self.invite, self._progressed)
        self.status = response.status
        if response.status >= 300:
            self.finish(response)
            return
        self.dialog.establish(response)
        self._layer.acknowledge(self.dialog.ack(self.invite))
        self.state = State.UP
        self._take(response)
        if self._is_ending:
            await self._bye()

    def _progressed(self, response: Response) -> None:
        self.status = response.status
        if response.status > 100:
            self.state = State.RINGING
            self._take(response)
        if self._is_ending:
            Deferred.fromCoroutine(self._cancel())

    async def _cancel(self) -> None:
        if not self._is_cancelled:
            self._is_cancelled = True
            await self._layer.send(cancel(self.invite))

    async def _bye(self) -> None:
        self.finish()
        await self._layer.send(self.dialog.request("BYE"))

    async def _renegotiate(self, *, is_on_hold: bool) -> None:
        self.is_on_hold = is_on_hold
        self._adapt_audio()
        while self.state is State.UP:
            invite = self.dialog.request("INVITE")
            invite.set_sdp(self._offer())
            self._is_offering = True
            response = await self._layer.send(invite)
            self._is_offering = False
            if response.status < 300:
                self._layer.acknowledge(self.dialog.ack(invite))
                self._take(response)
            if response.status != 491:
                break
            await deferLater(self._layer.reactor, _GLARE_SECONDS)

    async def _refer(self, target: str) -> int:
        self.transfer_status = 0
        refer = self.dialog.request(
            "REFER",
            ("Refer-To", f"<{target}>"),
            ("Referred-By", f"<{self.dialog.local.uri}>"),
        )
        response = await self._layer.send(refer)
        if response.status >= 300:
            return response.status
        await until(
            self._layer.reactor,
            lambda: self.transfer_status >= 200,
            lambda: f"no result of the transfer: {self}",
        )
        if self.transfer_status < 300 and self.state is not State.ENDED:
            await self.hang_up()
        return self.transfer_status

    def _respond(
        self, status: int, *headers: tuple[str, str], sdp: bytes = b""
    ) -> None:
        """Respond to the INVITE, if that has no final response yet."""
        assert self.status < 200, f"already answered or ended: {self}"
        self.status = status
        if status > 100:
            self.state = State.RINGING
        self._reply(self.invite, status, *headers, sdp=sdp)
        self._adapt_audio()

    def _reply(
        self, request: Request, status: int, *headers: tuple[str, str], sdp: bytes = b""
    ) -> None:
        response = self.dialog.response(request, status, *headers)
        response.set_sdp(sdp)
        self._layer.respond(request, response)

    def finish(self, message: Message | None = None) -> None:
        """End it here, without a message to Asterisk.

        Args:
            message: Asterisk's message that ended it; None: the phone did.
        """
        if self.state is State.ENDED:
            return
        self.state = State.ENDED
        self.end = message
        self.audio.close()

    def _take(self, message: Message) -> None:
        """Take the identity and the description of Asterisk's side."""
        if message.get("P-Asserted-Identity"):
            self.remote_party = message.address("P-Asserted-Identity")
        if message.body:
            self._remote = SessionDescription.parse(message.body)
            self._adapt_audio()

    def _adapt_audio(self) -> None:
        if self._remote is None or self.state is State.ENDED:
            return
        has_early_media = self.is_received and self.status in {183, 200}
        is_talking = self.state is State.UP or has_early_media
        may_send = self._remote.receives and not self.is_on_hold
        self.audio.connect(self._remote.host, self._remote.port)
        self.audio.sends = is_talking and may_send

    def _offer(self) -> bytes:
        return self._describe(sends=True, receives=not self.is_on_hold)

    def _answer(self) -> bytes:
        if self._remote is None:
            return self._offer()
        receives = self._remote.sends and not self.is_on_hold
        return self._describe(sends=self._remote.receives, receives=receives)

    def _describe(self, *, sends: bool, receives: bool) -> bytes:
        self._descriptions += 1
        description = SessionDescription(HOST, self.audio.port, sends, receives)
        return description.to_bytes(self._descriptions)

    def __str__(self) -> str:
        party = self.dialog.remote.user
        state = f"{self.state.name}, status {self.status}"
        return f"call with {party}, {state}:\n{self._layer.trace}"
