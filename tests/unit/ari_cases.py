"""The ARI client's cases that several modules of tests share."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.unit.ari_fakes import AriTestCase

if TYPE_CHECKING:
    from channel_aa.ari.channels import Channel
    from channel_aa.ari.dialled import DialledPhone


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
