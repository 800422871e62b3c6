"""Serves spoken texts to Asterisk."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

from twisted.protocols.basic import FileSender
from twisted.python.failure import Failure
from twisted.web.http import CACHED, NOT_FOUND
from twisted.web.server import NOT_DONE_YET

from channel_aa.http_server import Page
from channel_aa.speech.rendering import RENDERED

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from typing import BinaryIO

    from twisted.web.server import Request

_MAX_AGE = 30 * 86400  # a name stands for one content, for ever


class SoundPage(Page):
    """Answers with a file that is named by its content, and with no other.

    Args:
        folder: returns the folder of these files.
    """

    def __init__(self, folder: Callable[[], Path]) -> None:
        super().__init__()
        self._folder = folder

    def content(self, request: Request) -> bytes | int:
        """Send the file as it is read by the client; 404: there is none."""
        name = b"/".join(request.postpath or ()).decode("ascii", "replace")
        try:
            if not RENDERED.fullmatch(name):
                raise FileNotFoundError
            sound = _open_regular_file(self._folder() / name)
        except OSError:
            request.setResponseCode(NOT_FOUND)
            return b""
        # audio/wav is 8000 Hz for Asterisk; otherwise the extension tells.
        request.setHeader("Content-Type", "application/octet-stream")
        request.setHeader("Cache-Control", f"public, max-age={_MAX_AGE}, immutable")
        cached = request.setETag(f'"{name}"'.encode()) is CACHED
        if cached or request.method == b"HEAD":
            sound.close()
            return b""
        request.setHeader("Content-Length", str(os.fstat(sound.fileno()).st_size))
        sent = FileSender().beginFileTransfer(sound, request)
        sent.addBoth(self._finish, request, sound)
        return NOT_DONE_YET

    @staticmethod
    def _finish(sent: object, request: Request, sound: BinaryIO) -> None:
        sound.close()
        if not isinstance(sent, Failure):  # otherwise the connection is lost
            request.finish()


def _open_regular_file(path: Path) -> BinaryIO:
    """Open a file that is neither a link, which could lead elsewhere, nor a pipe.

    Raises:
        OSError: it is not there, or something else.
    """
    # Opening a pipe would block until somebody writes to it.
    flags = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
    opened = os.open(path, flags)
    if not stat.S_ISREG(os.fstat(opened).st_mode):
        os.close(opened)
        raise FileNotFoundError
    return os.fdopen(opened, "rb")
