"""A Twisted program that embeds the attendant and serves a status page.

Run it with the URL of Asterisk and a port for the page::

    python examples/status_page.py http://localhost:8088 8000

then open http://localhost:8000. Press Ctrl-C to stop: the calls in progress continue in
the dialplan.
"""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

from twisted.application.internet import StreamServerEndpointService
from twisted.application.service import MultiService
from twisted.internet.defer import Deferred
from twisted.internet.endpoints import TCP4ServerEndpoint
from twisted.internet.task import react
from twisted.logger import globalLogBeginner, textFileLogObserver
from twisted.web.resource import Resource
from twisted.web.server import Site

from channel_aa.service import AttendantService
from channel_aa.settings import AsteriskSettings, Settings

if TYPE_CHECKING:
    from twisted.web.server import Request


class StatusPage(Resource):
    """Serves the connection state and the numbers of calls and requests as JSON."""

    isLeaf = True  # noqa: N815 - Twisted's name

    def __init__(self, attendant: AttendantService) -> None:
        super().__init__()
        self._attendant = attendant

    def render_GET(self, request: Request) -> bytes:  # noqa: N802 - Twisted's name
        """Answer a GET."""
        request.setHeader("Content-Type", "application/json")
        status = {"connected": self._attendant.is_connected, **self._attendant.live}
        return json.dumps(status).encode()


def main(reactor: Any, asterisk: str, port: str) -> Deferred[None]:  # noqa: ANN401
    """Serve calls and the page until the program is interrupted."""
    globalLogBeginner.beginLoggingTo([textFileLogObserver(sys.stdout)])
    services = MultiService()

    attendant = AttendantService(
        Settings(asterisk=AsteriskSettings(url=asterisk)), reactor=reactor
    )
    attendant.setServiceParent(services)

    endpoint = TCP4ServerEndpoint(reactor, int(port), interface="127.0.0.1")
    site = Site(StatusPage(attendant))
    StreamServerEndpointService(endpoint, site).setServiceParent(services)

    services.startService()
    reactor.addSystemEventTrigger("before", "shutdown", services.stopService)
    return Deferred()


if __name__ == "__main__":
    react(main, sys.argv[1:])
