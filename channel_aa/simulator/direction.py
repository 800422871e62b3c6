"""The ways that something takes between a client and Asterisk."""

from __future__ import annotations

from enum import Enum


class Direction(Enum):
    """One way; requests over HTTP and their answers take two of their own."""

    REQUEST = "a request over HTTP"
    ANSWER = "its answer"
    MESSAGE_TO_ASTERISK = "a message on the websocket: a request"
    MESSAGE_FROM_ASTERISK = "a message on the websocket: an event or an answer"


def at_once(_leg: Direction) -> float:
    """Take no time, as on a loopback interface."""
    return 0.0
