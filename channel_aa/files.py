"""Read and check files that hold certificates, keys and passwords.

A problem is a `ValueError` whose message is the end of a sentence that begins with the
file's name: ``cannot be read: Permission denied``.
"""

from __future__ import annotations

import shlex
import stat
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from cryptography.x509 import load_pem_x509_certificates

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
    from cryptography.x509 import Certificate

_BEGIN_CERTIFICATE = b"-----BEGIN CERTIFICATE-----"
_FOR_OTHERS = stat.S_IROTH | stat.S_IWOTH


def certificates(path: Path) -> list[Certificate]:
    """Read the certificates of a PEM file, in their order; there is at least one.

    Raises:
        ValueError: there is none, or one is broken.
    """
    data = _data(path)
    if _BEGIN_CERTIFICATE not in data:
        raise ValueError(
            "has no certificate in PEM format, which begins with"
            f" {_BEGIN_CERTIFICATE.decode()}"
        )
    try:
        return load_pem_x509_certificates(data)
    except ValueError:
        raise ValueError("has an invalid certificate") from None


def private_key(path: Path) -> PrivateKeyTypes:
    """Read the private key of a PEM file.

    Raises:
        ValueError: there is none, it is broken, or it needs a passphrase.
    """
    try:
        # The chained exceptions could hold a part of the key.
        return load_pem_private_key(_data(path), password=None)
    except TypeError:
        raise ValueError(
            "has a key with a passphrase, which the daemon cannot ask for; remove it"
            f" with: openssl pkey -in {shlex.quote(str(path))} -out FILE"
        ) from None
    except UnsupportedAlgorithm:
        raise ValueError("has a private key of an unknown type") from None
    except ValueError as error:
        if str(error).startswith("cannot be read"):
            raise
        raise ValueError(
            "has no private key in PEM format, which begins with -----BEGIN PRIVATE"
            " KEY----- or similar"
        ) from None


def tls_problems(
    *, ca_file: str, certificate_file: str, key_file: str
) -> Iterator[tuple[str, str]]:
    """Find errors in the files that secure a connection.

    Args:
        ca_file: the authorities to trust; "": the machine's.
        certificate_file: what to show the server; "": nothing.
        key_file: the certificate's private key; "": it is in the certificate's file.

    Returns:
        The name of an argument, and a sentence about its file.
    """
    if ca_file:
        yield from _problem("ca_file", ca_file, certificates)
    if key_file and not certificate_file:
        yield "key_file", "is set without certificate_file; set both, or neither"
    if not certificate_file:
        return
    holder, name = ("key_file", key_file) if key_file else ("certificate_file", "")
    problems = [
        *_problem("certificate_file", certificate_file, certificates),
        *_problem(holder, name or certificate_file, private_key),
    ]
    yield from problems
    if problems:
        return
    certificate = certificates(Path(certificate_file))[0]
    key = private_key(Path(name or certificate_file))
    if certificate.public_key() != key.public_key():
        message = (
            f"{_named(name or certificate_file)} does not have the key of the first"
            f" certificate in {_named(certificate_file)}"
        )
        yield holder, message


def exposure(path: str) -> str:
    """Warn of a file with a secret that every user of the machine may read or write.

    Returns:
        A sentence with the remedy; "" where the file is kept well, or not there.
    """
    with suppress(OSError, ValueError):
        mode = Path(path).stat().st_mode
        if mode & _FOR_OTHERS:
            return (
                f"every user of this machine can read the secret in {_named(path)}"
                f" (mode {stat.S_IMODE(mode):04o}); to fix it: chmod o-rwx"
                f" {shlex.quote(path)}"
            )
    return ""


def _problem(
    key: str, name: str, read: Callable[[Path], object]
) -> Iterator[tuple[str, str]]:
    try:
        read(Path(name))
    except ValueError as error:
        yield key, f"{_named(name)} {error}"


def _data(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except (OSError, ValueError) as error:  # ValueError: the path has a NUL in it
        reason = getattr(error, "strerror", None) or error
        raise ValueError(f"cannot be read: {reason}") from None


def _named(name: str) -> str:
    return name if name.isprintable() else repr(name)
