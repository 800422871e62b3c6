"""Read and check files that hold certificates, keys and passwords, and their folders.

A problem is a `ValueError` whose message is the end of a sentence that begins with the
file's name: ``cannot be read: Permission denied``.
"""

from __future__ import annotations

import grp
import pwd
import shlex
import stat
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from cryptography.x509 import load_pem_x509_certificates

if TYPE_CHECKING:
    import os
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


def tampering(path: str) -> str:
    """Warn of a file that others than its owner may change or replace.

    They may write it, or its folder. The owner's private group, in which nobody else
    is, is not among the others; nor are those who may write a folder with the sticky
    bit, as /tmp has.

    Returns:
        A sentence with the remedy; "" where the file is kept well, or not there.
    """
    with suppress(OSError, ValueError):
        file = Path(path)
        found = file.stat()
        if _is_writable_by_others(found):
            return (
                f"others can change {_named(path)} (mode {_mode(found)}), and with it"
                f" where the password is sent; to fix it: chmod go-w"
                f" {shlex.quote(path)}"
            )
        for folder in dict.fromkeys((file.absolute().parent, file.resolve().parent)):
            found = folder.stat()
            if _is_writable_by_others(found) and not found.st_mode & stat.S_ISVTX:
                return (
                    f"others can replace {_named(path)}, and with it where the password"
                    f" is sent: they can write its folder (mode {_mode(found)}); to fix"
                    f" it: chmod go-w {shlex.quote(str(folder))}"
                )
    return ""


def intrusion(folder: str) -> str:
    """Warn of a folder of the daemon's own files in which others may make files.

    The sticky bit is no remedy: others could make a file, or a link, before the daemon
    does.

    Returns:
        A sentence with the remedy; "" where the folder is kept well, or not there.
    """
    with suppress(OSError, ValueError):
        found = Path(folder).stat()
        if _is_writable_by_others(found):
            return (
                f"others can put files of their own into {_named(folder)}"
                f" (mode {_mode(found)}); set another folder, or: chmod go-w"
                f" {shlex.quote(folder)}"
            )
    return ""


def _is_writable_by_others(found: os.stat_result) -> bool:
    if found.st_mode & stat.S_IWOTH:
        return True
    return bool(found.st_mode & stat.S_IWGRP) and not _is_private(found)


def _is_private(found: os.stat_result) -> bool:
    """Tell whether the group of a file has its owner alone in it."""
    try:
        owner, group = pwd.getpwuid(found.st_uid), grp.getgrgid(found.st_gid)
    except KeyError:
        return False
    return (
        owner.pw_gid == group.gr_gid
        and owner.pw_name == group.gr_name
        and set(group.gr_mem) <= {owner.pw_name}
    )


def _mode(found: os.stat_result) -> str:
    return f"{stat.S_IMODE(found.st_mode):04o}"


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
