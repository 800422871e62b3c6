"""The figures of docs/security.md are those of the program."""

from __future__ import annotations

from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from channel_aa import logs
from channel_aa.ari import admission, events, reconcile
from channel_aa.ari.wire import (
    connection,
    http_limits,
    requests,
    routing,
    timeouts,
    websocket,
)
from channel_aa.menus import flow

PAGE = Path(__file__).parents[3] / "docs/security.md"
KIB = 1024

FIGURES = {
    "response to the websocket's handshake": f"{websocket.MAX_HANDSHAKE_BYTES // KIB}",
    "a message": f"{connection.MAX_MESSAGE_BYTES // KIB**2} MiB",
    "frames of a message": f"{websocket.MAX_FRAGMENTS}",
    "status line and headers": f"{http_limits.MAX_HEAD_BYTES // KIB} KiB",
    "body of an HTTP response": f"{http_limits.MAX_BODY_BYTES // KIB**2} MiB",
    "pieces of an HTTP response": f"{http_limits.MAX_PIECES}, and one for each"
    f" {http_limits.PIECE_BYTES} bytes",
    "an id |": f"{requests.MAX_ID} ",
    "a name, a number": f"{events.MAX_TEXT} ",
    "the arguments of a channel": f"{events.MAX_ARGUMENTS} ",
    "the value of a channel variable": f"{events.MAX_VARIABLE:,} ",
    "a text in a log line": f"{logs.MAX_LENGTH} ",
    "calls that are served": f"{flow.MAX_CALLS} ",
    "channels that the client holds": f"{admission.MAX_CHANNELS}:",
    "requests without a response while": f"{admission.MAX_PENDING_TO_ENTER} ",
    "requests without a response |": f"{routing.MAX_PENDING:,} ",
    "channels, or bridges, in a list": f"{events.MAX_LISTED:,} ",
    "channels or bridges that are queried": f"{reconcile.MAX_ADOPTIONS} ",
    "frames handled in a turn": f"{websocket.MAX_FRAMES_PER_TURN} ",
    "calls ended, bridges removed": f"{reconcile.MAX_PER_TURN} ",
}


class LimitsPageTests(SynchronousTestCase):
    def test_figures_are_those_of_the_program(self) -> None:
        rows = PAGE.read_text("utf-8").splitlines()
        for beginning, figure in FIGURES.items():
            (row,) = [each for each in rows if each.startswith(f"| {beginning}")]
            limit = row.split("|")[2]
            self.assertIn(figure.strip(), limit, row)

    def test_timeouts_of_a_turn_are_as_many_as_calls(self) -> None:
        self.assertEqual(timeouts.MAX_PER_TURN, reconcile.MAX_PER_TURN)
