"""SIP dialogs (RFC 3261, section 12)."""

from __future__ import annotations

from secrets import token_hex
from typing import TYPE_CHECKING
from urllib.parse import quote

from real_asterisk.phones.sip import Address, Request, Response
from real_asterisk.phones.transactions import HOST

if TYPE_CHECKING:
    from real_asterisk.phones.transactions import TransactionLayer

_ALLOW = "INVITE, ACK, CANCEL, BYE, OPTIONS, INFO, UPDATE, REFER, NOTIFY"


class Dialog:
    """What the requests of one call have in common.

    Args:
        layer: sends the requests.
        remote: the address of the other side; with its tag, if it has given it.
        call_id: its Call-ID; empty: a new one.

    Attributes:
        call_id: its Call-ID.
        local: the phone's address, with its tag.
        remote: the address of the other side.
        target: the URI for requests, which is the Contact of the other side.
    """

    def __init__(
        self, layer: TransactionLayer, remote: Address, call_id: str = ""
    ) -> None:
        self._layer = layer
        self.call_id = call_id or token_hex(8)
        self.local = Address(layer.uri(layer.user), parameters=f";tag={token_hex(8)}")
        self.remote = remote
        self.target = remote.uri
        self.contact = Address(f"sip:{layer.user}@{HOST}:{layer.port}")
        self._number = 0

    @classmethod
    def of(cls, layer: TransactionLayer, invite: Request) -> Dialog:
        """Make the dialog of a received INVITE."""
        dialog = cls(layer, invite.address("From"), invite.get("Call-ID"))
        dialog.target = invite.address("Contact").uri
        return dialog

    def establish(self, response: Response) -> None:
        """Take the other side's tag and Contact from its response to an INVITE."""
        self.remote = response.address("To")
        self.target = response.address("Contact").uri

    def request(self, method: str, *headers: tuple[str, str]) -> Request:
        """Make the next request, with further headers."""
        self._number += 1
        headers = (self._layer.via(), *self._contact(), *headers)
        return self._request(method, self._number, *headers)

    def ack(self, invite: Request) -> Request:
        """Make the ACK to the 2xx of an INVITE (section 13.2.2.4)."""
        number = int(invite.get("CSeq").split()[0])
        return self._request("ACK", number, self._layer.via())

    def response(
        self, request: Request, status: int, *headers: tuple[str, str]
    ) -> Response:
        """Make a response, with further headers."""
        response = Response.to(request, status, self.local.tag)
        if not any(name == "Contact" for name, _ in headers):
            response.headers += self._contact()
        response.headers += headers
        return response

    @property
    def replaces(self) -> str:
        """The header Replaces of a call that replaces this one (RFC 3891).

        The tags are those that its receiver, the other side, has in this dialog.
        """
        return f"{self.call_id};to-tag={self.remote.tag};from-tag={self.local.tag}"

    def refer_to(self, replaced: Dialog) -> str:
        """Return the URI of another dialog's other side, which replaces that dialog."""
        return f"{replaced.remote.uri}?Replaces={quote(replaced.replaces, safe='')}"

    def _contact(self) -> list[tuple[str, str]]:
        return [("Contact", str(self.contact)), ("Allow", _ALLOW)]

    def _request(self, method: str, number: int, *headers: tuple[str, str]) -> Request:
        own = [
            ("From", str(self.local)),
            ("To", str(self.remote)),
            ("Call-ID", self.call_id),
            ("CSeq", f"{number} {method}"),
            ("Max-Forwards", "70"),
            ("Supported", "replaces"),
        ]
        return Request(method=method, uri=self.target, headers=[*own, *headers])


def cancel(invite: Request) -> Request:
    """Make the CANCEL of an INVITE (section 9.1)."""
    headers = [(name, invite.get(name)) for name in ("Via", "From", "To", "Call-ID")]
    number = invite.get("CSeq").split()[0]
    headers += [("CSeq", f"{number} CANCEL"), ("Max-Forwards", "70")]
    return Request(method="CANCEL", uri=invite.uri, headers=headers)
