"""Serves spoken texts to Asterisk."""

from __future__ import annotations

from typing import TYPE_CHECKING

from twisted.web.http import CACHED, NOT_FOUND

from channel_aa.http_server import Page
from channel_aa.speech.rendering import RENDERED

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

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

    def content(self, request: Request) -> bytes:
        """Return the file; 404: there is none."""
        name = b"/".join(request.postpath or ()).decode("ascii", "replace")
        try:
            if not RENDERED.fullmatch(name):
                raise FileNotFoundError
            sound = (self._folder() / name).read_bytes()
        except OSError:
            request.setResponseCode(NOT_FOUND)
            return b""
        # audio/wav is 8000 Hz for Asterisk; otherwise the extension tells.
        request.setHeader("Content-Type", "application/octet-stream")
        request.setHeader("Cache-Control", f"public, max-age={_MAX_AGE}, immutable")
        if request.setETag(f'"{name}"'.encode()) is CACHED:
            return b""
        return sound
