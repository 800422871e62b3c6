"""Why there is no connection to Asterisk, and what the administrator can do."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from OpenSSL.SSL import Error as TLSError
from twisted.internet.error import ConnectError, DNSLookupError, TCPTimedOutError
from twisted.internet.error import ConnectionRefusedError as TCPConnectionRefusedError
from twisted.internet.error import TimeoutError as ConnectTimeoutError

from channel_aa.ari.wire.tls import CertificateError

if TYPE_CHECKING:
    from channel_aa.ari.wire.address import Address


class Diagnosis(msgspec.Struct, frozen=True):
    """Why a connection failed or ended.

    ``kind`` is equal for causes that are to be logged once; ``text`` is for the log,
    and says what happened and what to do. The credentials are concealed in what the
    server sent, and not in the rest of the text: a user may be called like a password.
    """

    kind: str
    text: str


_RELOAD = "; after a change of that file, run asterisk -rx 'module reload res_ari.so'"


def diagnose_connect_error(error: BaseException, address: Address) -> Diagnosis:
    """Explain why a TCP or TLS connection could not be made."""
    where = f"{address.host}:{address.port}"
    if is_tls_error(error):
        return diagnose_tls_error(error, address)
    if isinstance(error, TCPConnectionRefusedError):
        return Diagnosis(
            "refused",
            f"Nothing listens at {where}. Check that Asterisk runs there, with its"
            " HTTP server (http.conf: enabled = yes, bindaddr, bindport).",
        )
    if isinstance(error, DNSLookupError):
        return Diagnosis(
            "unknown host", f"The host name {address.host!r} is unknown. Check the url."
        )
    if isinstance(error, ConnectTimeoutError | TCPTimedOutError):
        return Diagnosis(
            "unreachable",
            f"No answer from {where}. Check the url, the network and the firewall.",
        )
    return Diagnosis("connect", f"No connection to {where}: {_text(error)}.")


def is_connect_error(error: BaseException) -> bool:
    """Tell whether an error is one of making a TCP or TLS connection."""
    return isinstance(error, ConnectError | DNSLookupError) or is_tls_error(error)


def diagnose_refusal(status: int, reason: str, address: Address) -> Diagnosis:
    """Explain an HTTP status with which the events websocket or a request was refused.

    Asterisk checks the user of each request, also over an open websocket: 401 and 403
    tell that ari.conf has changed, or does not let this user write.
    """
    reason = address.conceal(reason)
    section = f"the section [{address.username}] of ari.conf"
    refusals = {
        400: f"Asterisk refused the application name {address.app!r}. Check app.",
        401: f"Asterisk refused the user {address.username!r} or the password."
        f" Compare username and password with {section} and its key password"
        f"{_RELOAD}.",
        403: f"Asterisk does not let the user {address.username!r} write ({reason}),"
        f" so no call can be answered. Set read_only = no in {section}{_RELOAD}.",
        404: f"There is no ARI at {address.base_url}. Check the url, the prefix in"
        " http.conf (part of the url), enabled = yes in ari.conf, and that"
        " res_ari and its modules are loaded. While Asterisk starts this is normal.",
        503: "Asterisk is still starting.",
    }
    text = refusals.get(
        status,
        f"{address.base_url} responded {status} {reason} instead of opening a"
        " websocket. Check that it is Asterisk's HTTP server.",
    )
    return Diagnosis(f"status {status}", text)


def diagnose_no_websocket(address: Address, reason: str) -> Diagnosis:
    """Explain a peer that is not a websocket server."""
    reason = address.conceal(reason)
    return Diagnosis(
        "no handshake",
        f"{address.host}:{address.port} did not open a websocket ({reason}). Check"
        " that it is Asterisk's HTTP server, and whether the url needs http or https.",
    )


def diagnose_tls_error(error: BaseException | None, address: Address) -> Diagnosis:
    """Explain a TLS connection that could not be set up."""
    where = f"No TLS connection to {address.host}:{address.port}"
    text = address.conceal(_text(error))
    if isinstance(error, CertificateError):
        return Diagnosis(f"tls {error}", f"{where}: {text}.")
    return Diagnosis(
        "tls",
        f"{where}: {text}. Check that Asterisk serves https there (http.conf:"
        " tlsenable, tlsbindaddr), and whether it requires a client certificate"
        " (certificate_file).",
    )


def diagnose_loss(address: Address, code: int | None, reason: str | None) -> Diagnosis:
    """Explain the loss of an open connection."""
    reason = address.conceal(f"{reason}")
    return Diagnosis("lost", f"The connection to Asterisk ended ({code}: {reason}).")


def diagnose_silence() -> Diagnosis:
    """Explain a connection on which Asterisk sends nothing any more."""
    return Diagnosis(
        "dead",
        "Asterisk does not respond: it sends nothing, not even the reply to a ping."
        " Check the network, and whether Asterisk hangs.",
    )


def diagnose_exposure(address: Address) -> Diagnosis | None:
    """Warn if others can read the password; ``None`` if the connection is secure."""
    if address.is_secure:
        if address.tls.verify:
            return None
        return Diagnosis(
            "not verified",
            f"The certificate of {address.host} is not verified (verify = false): a"
            " man in the middle can impersonate Asterisk, read the password and place"
            " calls. Set ca_file to the certificate of the authority that signed it,"
            " and remove verify = false.",
        )
    if address.is_this_machine:
        return None
    return Diagnosis(
        "not encrypted",
        f"The connection to {address.host} is not encrypted: others on the network"
        " can read the password, and place calls with it. Enable https in Asterisk"
        " (http.conf: tlsenable, tlsbindaddr, tlscertfile) and use it in url.",
    )


def is_tls_error(error: BaseException | None) -> bool:
    """Tell whether an error is one of TLS."""
    return isinstance(error, TLSError | CertificateError)


def _text(error: BaseException | None) -> str:
    if isinstance(error, TLSError) and error.args and error.args[0]:
        return "; ".join(str(entry[-1]) for entry in error.args[0])
    return str(error) or type(error).__name__
