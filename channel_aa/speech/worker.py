"""The process that renders texts: ``python -m channel_aa.speech.worker``.

Reads a request in JSON from each line of its standard input, and writes a line for
each: the error's message in JSON, which is empty if there is none. Ends with its input.
"""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from pathlib import Path

import msgspec

from channel_aa.speech.rendering import Job, RenderError, render

_NICENESS = 10


class RenderRequest(msgspec.Struct, frozen=True):
    """A text to render, and the file to write."""

    job: Job
    path: str


def main() -> None:
    """Serve requests until the end of the standard input."""
    with suppress(OSError):  # systemd may forbid it
        os.nice(_NICENESS)  # calls come first
    # What the engine's libraries print is no response.
    responses = os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(2, 1)
    for line in sys.stdin.buffer:
        request = msgspec.json.decode(line, type=RenderRequest)
        error = ""
        try:
            render(request.job, Path(request.path))
        except RenderError as problem:
            error = str(problem)
        responses.write(msgspec.json.encode(error) + b"\n")


if __name__ == "__main__":
    main()
