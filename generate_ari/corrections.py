"""Where Asterisk's descriptions are wrong, or say less than has to be known.

Each entry has been seen on Asterisk 22.10.1.
"""

from __future__ import annotations

OMITTED_OPERATIONS = {
    "events.eventWebsocket": "opens the websocket, which AriClient does itself",
}

OMITTED_MODELS = {
    # What a request and a response over the websocket consist of: wire/ has both.
    *("RESTRequest", "RESTResponse", "RESTHeader", "RESTQueryStringParameter"),
    # The bases of the events, which the generated module has.
    *("Message", "Event"),
    # No operation or event has it.
    "Dialed",
}

RENAMED = {
    "offsetms": "offset_ms",
    "skipms": "skip_ms",
    "rtpstatistics": "rtp_statistics",
    "from": "from_",  # a keyword of Python
}

RESULTS = {
    "recordings.getStoredFile": "bytes",  # described as the unknown type "binary"
}

REQUIRED = {
    # Described as optional, the first two with a default; refused without (400).
    *("channels.mute.direction", "channels.unmute.direction"),
    "channels.sendDTMF.dtmf",
}

KINDS = {
    # The description says only that the body is a container.
    "asterisk.updateObject.fields": "tuple[ConfigTuple, ...]",
    "applications.filter.filter": "dict[str, tuple[dict[str, str], ...]]",
    "endpoints.sendMessage.variables": "dict[str, str]",
    "endpoints.sendMessageToEndpoint.variables": "dict[str, str]",
    "endpoints.refer.variables": "dict[str, str]",
    "endpoints.referToEndpoint.variables": "dict[str, str]",
    "events.userEvent.variables": "dict[str, Any]",
    # "int" without a range, although it is a duration.
    **{
        f"channels.sendDTMF.{name}": "Count"
        for name in ("before", "between", "duration", "after")
    },
}

WHOLE_BODIES = {"applications.filter.filter"}
"""The arguments that are the whole body, without an object around them."""

FIELDS: dict[str, str] = {
    # Described as objects: of variables, and of what the program sent.
    "Channel.channelvars": "dict[str, str]",
    "Bridge.bridgevars": "dict[str, str]",
    "Variables.variables": "dict[str, str]",
    "Application.events_allowed": "tuple[dict[str, str], ...]",
    "Application.events_disallowed": "tuple[dict[str, str], ...]",
}

UNDESCRIBED = {
    # The media experience score, which later versions send as well.
    "RTPstat": (
        *("txmes", "rxmes"),
        *("remote_maxmes", "remote_minmes", "remote_normdevmes", "remote_stdevmes"),
        *("local_maxmes", "local_minmes", "local_normdevmes", "local_stdevmes"),
    ),
}
"""The fields of numbers that Asterisk sends without describing them."""

IDEMPOTENT = {
    # POST, but each sets a state, so that twice is the same as once.
    "applications.subscribe",
    "asterisk.setGlobalVar",
    *("bridges.setBridgeVar", "bridges.setBridgeVars", "bridges.setVideoSource"),
    "bridges.startMoh",
    *("channels.answer", "channels.hold", "channels.mute", "channels.progress"),
    *("channels.ring", "channels.setChannelVar", "channels.setChannelVars"),
    *("channels.startMoh", "channels.startSilence"),
    *("recordings.mute", "recordings.pause"),
}

NOT_IDEMPOTENT = {
    # PUT, but each time a message is sent, or a file is rotated.
    *("endpoints.sendMessage", "endpoints.sendMessageToEndpoint"),
    "asterisk.rotateLog",
}
