"""A speech engine for tests: says each character of a text as 20 ms of a tone.

Run as a command: ``python speech_engine.py WAV TEXT``. The text "fail" ends with an
error; "nothing" writes no file.
"""

from __future__ import annotations

import sys
import wave
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[2]))

from real_asterisk.sounds import FRAMES_A_SECOND, tone

ENGINE = [sys.executable, __file__, "{wav}", "{text}"]
"""The engine's command in ``[speech]``."""

SECONDS_A_CHARACTER = 0.02


def main(path: str, text: str) -> None:
    """Write the file."""
    if text == "fail":
        sys.exit("the engine is broken")
    if text == "nothing":
        return
    with wave.open(path, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(FRAMES_A_SECOND)
        file.writeframes(tone(len(text) * SECONDS_A_CHARACTER))


if __name__ == "__main__":
    main(*sys.argv[1:])
