"""The ARI client's cases that several modules of tests share."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from tests.unit.ari_fakes import APP, AriTestCase

if TYPE_CHECKING:
    from channel_aa.ari.channels import Channel
    from channel_aa.ari.dialled import DialledPhone

LIST = f"GET applications/{APP}"
BRIDGES = "GET bridges"


class PhoneTestCase(AriTestCase):
    def dial(
        self, channel: Channel | None = None, *, is_accepted: bool = True
    ) -> DialledPhone:
        phone = (channel or self.enter()).dial("PJSIP/410", ring_seconds=20)
        self.outcomes: list[object] = []
        phone.outcome.addBoth(self.outcomes.append)
        if is_accepted:
            self.sender.only_unanswered().accept(b"{}")
        return phone

    def hear_dial(self, phone: DialledPhone, status: str) -> None:
        self.hear("Dial", peer={"id": phone.id}, dialstatus=status)

    def hear_end(self, phone: DialledPhone, cause: int = 0) -> None:
        self.hear_channel("ChannelDestroyed", phone.id, cause=cause)

    def is_hung_up(self, phone: DialledPhone) -> None:
        """Take the request to hang it up, the only one, and answer it."""
        request = self.sender.only_unanswered()
        self.assertEqual(request.line, f"DELETE channels/{phone.id}")
        request.accept()
        self.assertEqual(self.client.phones, {})


def in_stasis(channel_id: str, data: str = APP) -> bytes:
    """Describe a channel of the application as Asterisk would."""
    dialplan = {"exten": "1000", "app_name": "Stasis", "app_data": data}
    return json.dumps(
        {"id": channel_id, "name": f"PJSIP/{channel_id}", "dialplan": dialplan}
    ).encode()


class RecoveryTestCase(AriTestCase):
    def reconnect(self, *channel_ids: str) -> None:
        """Lose the connection and have it back; these channels are left."""
        self.list_channels(*channel_ids)
        self.connection.lose()
        self.connection.open()

    def list_channels(self, *channel_ids: str) -> None:
        self.sender.answers[LIST] = json.dumps({"channel_ids": channel_ids}).encode()

    def list_bridges(self, **members: list[str]) -> None:
        bridges = [
            {
                "id": name.replace("_", "-"),
                "name": "channel-aa channel-aa",
                "channels": ids,
            }
            for name, ids in members.items()
        ]
        self.sender.answers[BRIDGES] = json.dumps(bridges).encode()

    def lines(self) -> list[str]:
        return [exchange.line for exchange in self.sender.unanswered]
