"""A proxy between the daemon and Asterisk that simulates a faulty network."""

from tests.support.proxy.faults import HANDSHAKE, answer, event, flip, request
from tests.support.proxy.proxy import Proxy

__all__ = ["HANDSHAKE", "Proxy", "answer", "event", "flip", "request"]
