"""Announce ``twistd channel-aa`` to Twisted.

twistd imports every plugin to list them, so this one imports nothing of the
project: ``channel_aa.tap`` is loaded only when it is chosen.
"""

from twisted.application.service import ServiceMaker

serviceMaker = ServiceMaker(  # noqa: N816 - the name Twisted's plugins use
    "channel-aa",
    "channel_aa.tap",
    "An automated attendant for Asterisk, connected over ARI.",
    "channel-aa",
)
