"""Every request that the simulated Asterisk knows."""

from __future__ import annotations

from channel_aa.simulator import (
    handle_asterisk,
    handle_calls,
    handle_channels,
    handle_media,
)

ROUTES = (
    *handle_asterisk.ROUTES,
    *handle_calls.ROUTES,
    *handle_channels.ROUTES,
    *handle_media.ROUTES,
)
