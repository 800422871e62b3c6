"""Which way requests take where the configuration names one."""

from __future__ import annotations

from twisted.logger import LogLevel

from channel_aa.ari.wire.routing import Transport
from tests.support.ari_cases import TransportsTestCase


class HttpModeTests(TransportsTestCase):
    wanted = Transport.HTTP

    def test_the_websocket_is_left_alone(self) -> None:
        for _ in range(2):
            self.transports.probe()
            self.assert_goes_over(Transport.HTTP)
            self.transports.fail_pending()
        self.successResultOf(self.transports.close())
        self.assertEqual(self.frames, [])
        self.assertEqual(self.log.texts(), [])


class WebSocketModeTests(TransportsTestCase):
    wanted = Transport.WEBSOCKET

    def test_an_asterisk_that_can_is_used_as_in_auto(self) -> None:
        self.transports.probe()
        self.assert_goes_over(Transport.HTTP)
        self.answer(0)
        self.assert_goes_over(Transport.WEBSOCKET)
        self.assertEqual(self.log.texts(level=LogLevel.error), [])

    def test_an_asterisk_that_cannot_is_an_error_said_once(self) -> None:
        for _ in range(3):
            self.open_in_vain()
            self.assert_goes_over(Transport.HTTP)
            self.transports.fail_pending()
        [error] = self.log.texts()
        self.assertEqual(self.log.texts(level=LogLevel.error), [error])
        for words in ("does not serve requests over the websocket", "22.4", "HTTP"):
            self.assertIn(words, error)

    def test_the_error_is_said_again_when_it_had_worked_between(self) -> None:
        for opening in (self.open_in_vain, self.open, self.open_in_vain):
            opening()
            self.transports.fail_pending()
        self.assertEqual(len(self.log.texts(level=LogLevel.error)), 2)
