"""Every operation of ARI: those that the simulator models, and the others.

An operation that is not modelled is answered with 501, so that it is not mistaken for
one that Asterisk refuses.
"""

from __future__ import annotations

from channel_aa.simulator.api import PathNode, Route
from channel_aa.simulator.resources import (
    applications,
    asterisk,
    bridges,
    channels,
    recordings,
)

ROUTES = (
    *applications.ROUTER.routes,
    *asterisk.ROUTER.routes,
    *bridges.ROUTER.routes,
    *channels.ROUTER.routes,
    *recordings.ROUTER.routes,
)
"""The operations that are modelled."""

_UNMODELLED = """\
/asterisk/config/dynamic/{configClass}/{objectType}/{id} GET PUT DELETE
/asterisk/logging GET
/asterisk/logging/{logChannelName} POST DELETE
/asterisk/logging/{logChannelName}/rotate PUT
/asterisk/modules GET
/asterisk/modules/{moduleName} GET POST PUT DELETE
/asterisk/variable GET POST
/bridges/{bridgeId}/moh POST DELETE
/bridges/{bridgeId}/play POST
/bridges/{bridgeId}/play/{playbackId} POST
/bridges/{bridgeId}/record POST
/bridges/{bridgeId}/variable GET POST
/bridges/{bridgeId}/variables GET POST
/bridges/{bridgeId}/videoSource DELETE
/bridges/{bridgeId}/videoSource/{channelId} POST
/channels/externalMedia POST
/channels/{channelId}/hold POST DELETE
/channels/{channelId}/move POST
/channels/{channelId}/mute POST DELETE
/channels/{channelId}/progress POST
/channels/{channelId}/redirect POST
/channels/{channelId}/rtp_statistics GET
/channels/{channelId}/silence POST DELETE
/channels/{channelId}/snoop POST
/channels/{channelId}/snoop/{snoopId} POST
/channels/{channelId}/transfer_progress POST
/channels/{channelId}/variables GET POST
/deviceStates GET
/deviceStates/{deviceName} GET PUT DELETE
/endpoints/refer POST
/endpoints/sendMessage PUT
/endpoints/{tech}/{resource}/refer POST
/endpoints/{tech}/{resource}/sendMessage PUT
/events/claim POST
/events/user/{eventName} POST
/mailboxes GET
/mailboxes/{mailboxName} GET PUT DELETE
/playbacks/{playbackId}/control POST
/recordings/live/{recordingName}/mute POST DELETE
/recordings/live/{recordingName}/pause POST DELETE
/recordings/stored/{recordingName}/copy POST
/recordings/stored/{recordingName}/file GET
"""
# A path and its methods in each line, as Asterisk 22.10.1 describes them at /api-docs.

UNMODELLED = frozenset(
    (method, path)
    for path, *methods in map(str.split, _UNMODELLED.splitlines())
    for method in methods
)
"""Method and path of each operation that is answered with 501."""

OPERATIONS = UNMODELLED | {(each.method, each.path) for each in ROUTES}
"""Method and path of every operation of Asterisk 22.10.1."""

ROOT = PathNode()
"""All operations by path; those that are not modelled have no handler."""

for _route in ROUTES:
    ROOT.add(_route)
for _method, _path in UNMODELLED:
    ROOT.add(Route(method=_method, path=_path))
