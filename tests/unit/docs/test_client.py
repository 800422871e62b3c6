"""The programs in docs/client.md run."""

from __future__ import annotations

import json
import re
from decimal import Decimal
from pathlib import Path
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.defer import TimeoutError as DeferredTimeoutError

import channel_aa.ari
from channel_aa.ari.api import events
from tests.support.ari_fakes import AriTestCase

PAGE = Path(__file__).parents[3] / "docs/client.md"
ENDPOINT = (
    b'[{"technology":"PJSIP","resource":"410","state":"online","channel_ids":[]}]'
)


class ClientPageTests(AriTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.printed: list[tuple[object, ...]] = []
        self.names: dict[str, Any] = {
            **vars(channel_aa.ari),
            **vars(events),
            "Decimal": Decimal,
            "print": lambda *texts: self.printed.append(texts),
        }
        for block in re.findall(
            r"```python\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL
        ):
            exec(block, self.names)  # noqa: S102 - our own page

    def test_operations(self) -> None:
        done = Deferred.fromCoroutine(self.names["ring"](self.client, "410"))
        self.sender.only_unanswered().accept(ENDPOINT)
        request = self.sender.only_unanswered()
        self.assertEqual(
            request.line, "POST channels?endpoint=PJSIP%2F410&app=office&timeout=10"
        )
        self.assertNoResult(done)
        done.cancel()
        self.failureResultOf(done)

    def test_events(self) -> None:
        done = Deferred.fromCoroutine(self.names["watch"](self.client))
        self.sender.only_unanswered().accept(b"{}")
        self.assertEqual(
            self.client.events.types, {"EndpointStateChange", "ChannelHold"}
        )
        endpoint = json.loads(ENDPOINT)[0]
        self.receive("EndpointStateChange", endpoint=endpoint)
        self.assertEqual(self.printed, [("online",)])
        self.clock.advance(60)
        self.failureResultOf(done, DeferredTimeoutError)
