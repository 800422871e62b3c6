"""Reads the descriptions from a running Asterisk."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from real_asterisk.raw_ari import Ari

if TYPE_CHECKING:
    from twisted.internet.posixbase import PosixReactorBase

    from real_asterisk.harness import Asterisk


async def described(reactor: PosixReactorBase, asterisk: Asterisk) -> dict[str, Any]:
    """Read the descriptions of all resources, by name: ``channels``."""
    ari = Ari(
        reactor, asterisk.url, username=asterisk.username, password=asterisk.password
    )
    try:
        listed = (await ari.get("/api-docs/resources.json")).json["apis"]
        paths = [each["path"].replace("{format}", "json") for each in listed]
        return {
            path.removeprefix("/api-docs/").removesuffix(".json"): (
                await ari.get(path)
            ).json
            for path in paths
        }
    finally:
        await ari.close()
