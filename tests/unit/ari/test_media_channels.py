"""Channels that dial no phone: snoops and external media."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import unquote

from twisted.internet.defer import CancelledError

from channel_aa.ari import NotFoundError
from tests.support.ari_fakes import AriTestCase

if TYPE_CHECKING:
    from twisted.internet.defer import Deferred

    from channel_aa.ari import Channel


class MediaChannelTests(AriTestCase):
    def snoop(self) -> tuple[Deferred[Channel], str]:
        """Begin to snoop; return the result, and the id of the new channel."""
        self.enter()
        made = self.client.snoop(self.client.channels["c1"], spy="both", whisper="out")
        path, _, query = self.sender.only_unanswered().line.partition("?")
        self.assertEqual(query, "app=channel-aa&spy=both&whisper=out")
        prefix = "POST channels/c1/snoop/"
        self.assertTrue(path.startswith(prefix), path)
        return made, path.removeprefix(prefix)

    def test_snoop_is_the_program_s(self) -> None:
        made, channel_id = self.snoop()
        self.sender.only_unanswered().accept(b"{}")
        self.assertNoResult(made)
        self.receive_channel("StasisStart", channel_id, args=[])
        channel = self.successResultOf(made)
        self.assertIs(self.client.channels[channel_id], channel)
        self.assertIsNone(channel.listener)
        ended = channel.ended()
        self.receive_channel("StasisEnd", channel_id)
        self.successResultOf(ended)

    def test_event_before_the_response(self) -> None:
        made, channel_id = self.snoop()
        self.receive_channel("StasisStart", channel_id, args=[])
        self.successResultOf(made)
        self.sender.only_unanswered().accept(b"{}")

    def test_refusal_is_an_error(self) -> None:
        made, _ = self.snoop()
        self.sender.only_unanswered().refuse(404, "Channel not found")
        self.failureResultOf(made, NotFoundError)

    def test_cancelling_hangs_up(self) -> None:
        made, channel_id = self.snoop()
        self.sender.only_unanswered().accept(b"{}")
        made.cancel()
        self.failureResultOf(made, CancelledError)
        self.assertIn(
            f"DELETE channels/{channel_id}", self.sender.only_unanswered().line
        )
        self.sender.only_unanswered().accept()

    def test_external_media(self) -> None:
        for host, expected in (("::1", "[::1]"), ("127.0.0.1", "127.0.0.1")):
            made = self.client.open_external_media(host, 9000)
            line = unquote(self.sender.only_unanswered().line)
            self.assertIn(f"external_host={expected}:9000&format=ulaw", line)
            self.sender.only_unanswered().refuse(500)
            self.failureResultOf(made)
