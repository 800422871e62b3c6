"""Serves spoken texts to Asterisk."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from twisted.web.http import CACHED, NOT_FOUND

from channel_aa.http_server import Page

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from twisted.web.server import Request

_NAME = re.compile(rb"[0-9a-f]{64}\.wav(16)?")
_MAX_AGE = 30 * 86400  # a name stands for one content, for ever


class SoundPage(Page):
    """Answers with a file that is named by its content, and with no other.

    Args:
        folder: returns the folder of these files.
    """

    def __init__(self, folder: Callable[[], Path]) -> None:
        super().__init__()
        self._folder = folder

    def content(self, request: Request) -> bytes:
        """Return the file; 404: there is none."""
        name = b"/".join(request.postpath or ())
        try:
            if not _NAME.fullmatch(name):
                raise FileNotFoundError
            sound = (self._folder() / name.decode()).read_bytes()
        except OSError:
            request.setResponseCode(NOT_FOUND)
            return b""
        request.setHeader("Content-Type", "audio/wav")
        request.setHeader("Cache-Control", f"public, max-age={_MAX_AGE}, immutable")
        if request.setETag(b'"%s"' % name) is CACHED:
            return b""
        return sound
