"""SIP messages (RFC 3261, section 7) and their addresses."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from dataclasses import dataclass, field

_ADDRESS = re.compile(
    r'\s*(?:"(?P<quoted>(?:[^"\\]|\\.)*)"|(?P<token>[^<"]*?))\s*'
    r"<(?P<uri>[^>]+)>(?P<parameters>.*)"
)


class SipError(Exception):
    """A datagram is no SIP message, or a header no address."""


@dataclass(kw_only=True)
class Message(ABC):
    """What requests and responses share.

    Attributes:
        headers: names and values, in their order.
        body: the SDP or other content.
    """

    headers: list[tuple[str, str]] = field(default_factory=list)
    body: bytes = b""

    @property
    @abstractmethod
    def start_line(self) -> str:
        """Its first line."""

    def all(self, name: str) -> list[str]:
        """List the values of a header, whose name is not case-sensitive."""
        return [value for key, value in self.headers if key.lower() == name.lower()]

    def get(self, name: str) -> str:
        """Return the first value of a header; empty: there is none."""
        return next(iter(self.all(name)), "")

    def address(self, name: str) -> Address:
        """Return the first value of a header such as From as an address."""
        return Address.parse(self.get(name))

    @property
    def cseq_method(self) -> str:
        return self.get("CSeq").partition(" ")[2].strip()

    @property
    def transaction(self) -> tuple[str, str]:
        """The branch and the method, which identify a transaction (section 17.1.3)."""
        branch = re.search(r";\s*branch=([^;,\s]+)", self.get("Via"))
        return branch[1] if branch else "", self.cseq_method

    def set_sdp(self, description: bytes) -> None:
        """Set a session description as the body; empty: none."""
        if description:
            self.headers.append(("Content-Type", "application/sdp"))
            self.body = description

    def to_bytes(self) -> bytes:
        headers = [*self.headers, ("Content-Length", str(len(self.body)))]
        lines = [self.start_line, *(f"{name}: {value}" for name, value in headers)]
        return "\r\n".join([*lines, "", ""]).encode() + self.body


@dataclass(kw_only=True)
class Request(Message):
    """A request, such as INVITE."""

    method: str
    uri: str

    @property
    def start_line(self) -> str:
        return f"{self.method} {self.uri} SIP/2.0"


@dataclass(kw_only=True)
class Response(Message):
    """A response; ``status`` is its code, such as 180."""

    status: int
    reason: str = ""

    @property
    def start_line(self) -> str:
        return f"SIP/2.0 {self.status} {self.reason}"

    @classmethod
    def to(cls, request: Request, status: int, tag: str) -> Response:
        """Make a response (section 8.2.6).

        Args:
            request: the request to respond to.
            status: the status code.
            tag: the local tag, for the header To of a request that has none.
        """
        copied = ("via", "from", "to", "call-id", "cseq")
        headers = [pair for pair in request.headers if pair[0].lower() in copied]
        if status > 100:
            headers = [
                (name, f"{value};tag={tag}")
                if name.lower() == "to" and ";tag=" not in value
                else (name, value)
                for name, value in headers
            ]
        return cls(status=status, headers=headers)


@dataclass(frozen=True)
class Address:
    """A name-addr (section 20.10): ``"Alice" <sip:alice@127.0.0.1>;tag=1``."""

    uri: str
    name: str = ""
    parameters: str = ""
    """Those after the URI, as they are: ``;tag=1``."""

    @classmethod
    def parse(cls, text: str) -> Address:
        """Read the value of a header.

        Raises:
            SipError: it is no address.
        """
        if match := _ADDRESS.fullmatch(text):
            name = re.sub(r"\\(.)", r"\1", match["quoted"] or match["token"] or "")
            return cls(match["uri"], name, match["parameters"])
        uri, semicolon, parameters = text.strip().partition(";")
        if ":" not in uri:
            raise SipError(f"no address: {text!r}")
        return cls(uri, "", semicolon + parameters)

    @property
    def user(self) -> str:
        """The number or name before the ``@``; empty: there is none."""
        return re.sub(r"^sips?:", "", self.uri).rpartition("@")[0]

    @property
    def tag(self) -> str:
        match = re.search(r";\s*tag=([^;\s]+)", self.parameters)
        return match[1] if match else ""

    def __str__(self) -> str:
        name = self.name.replace("\\", "\\\\").replace('"', '\\"')
        quoted = f'"{name}" ' if name else ""
        return f"{quoted}<{self.uri}>{self.parameters}"


def parse(datagram: bytes) -> Request | Response:
    """Read a message.

    Raises:
        SipError: it is not one.
    """
    head, _, body = datagram.partition(b"\r\n\r\n")
    # A line that begins with a space continues the one before.
    lines = re.sub(r"\r\n[ \t]+", " ", head.decode(errors="replace")).split("\r\n")
    parts = lines[0].split(" ", 2)
    pairs = [line.partition(":") for line in lines[1:]]
    if len(parts) < 3 or not all(colon for _, colon, _ in pairs):
        raise SipError(f"no SIP message: {datagram[:100]!r}")
    headers = [
        (name.strip(), value.strip())
        for name, _, value in pairs
        if name.strip().lower() != "content-length"
    ]
    if parts[0] == "SIP/2.0" and parts[1].isdecimal():
        status = int(parts[1])
        return Response(status=status, reason=parts[2], headers=headers, body=body)
    if parts[2] == "SIP/2.0":
        return Request(method=parts[0], uri=parts[1], headers=headers, body=body)
    raise SipError(f"no SIP message: {datagram[:100]!r}")
