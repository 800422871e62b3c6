"""What is served to Asterisk, and what is not."""

from __future__ import annotations

import os
from pathlib import Path
from tempfile import TemporaryDirectory

from twisted.internet.testing import StringTransportWithDisconnection
from twisted.trial.unittest import SynchronousTestCase
from twisted.web.server import Site

from channel_aa.speech.sound_page import SoundPage
from tests.support.attendant_fakes import memory_reactor

NAME = "a" * 64 + ".wav"


class SoundPageTests(SynchronousTestCase):
    def setUp(self) -> None:
        folder = TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        (self.folder / NAME).write_bytes(b"RIFF")
        (self.folder / "secret.wav").write_bytes(b"secret")

    def request(self, path: str, method: str = "GET", *headers: str) -> str:
        site = Site(SoundPage(lambda: self.folder), reactor=memory_reactor())
        protocol = site.buildProtocol(None)
        assert protocol is not None
        transport = StringTransportWithDisconnection()
        transport.protocol = protocol
        protocol.makeConnection(transport)
        lines = [f"{method} {path} HTTP/1.0", *headers, "", ""]
        protocol.dataReceived("\r\n".join(lines).encode())
        response: bytes = transport.value()
        return response.decode()

    def test_sound_that_is_kept_already_is_not_sent(self) -> None:
        response = self.request(f"/{NAME}", "GET", f'If-None-Match: "{NAME}"')
        self.assertIn("304", response)
        self.assertNotIn("RIFF", response)

    def test_sound_is_to_be_kept(self) -> None:
        response = self.request(f"/{NAME}", "HEAD")
        self.assertIn("200 OK", response)
        self.assertIn("Content-Type: application/octet-stream", response)
        self.assertIn("Cache-Control: public, max-age=2592000, immutable", response)
        self.assertIn(f'ETag: "{NAME}"', response.replace("Etag", "ETag"))

    def test_head_has_no_body(self) -> None:
        self.assertNotIn("RIFF", self.request(f"/{NAME}", "HEAD"))

    def test_nothing_else_is_served(self) -> None:
        for path in (
            *("/", "/secret.wav", f"/x/{NAME}", f"/{NAME}/", f"//{NAME}"),
            *(f"/{'b' * 64}.wav", f"/{NAME}16", f"/%2e%2e/{NAME}", "/.."),
            f"/{NAME.upper()}",
        ):
            with self.subTest(path=path):
                response = self.request(path)
                self.assertIn("404", response.splitlines()[0])
                self.assertTrue(response.endswith("\r\n\r\n"))

    def test_link_pipe_or_folder_is_not_served(self) -> None:
        link, pipe, folder = (f"{each * 64}.wav" for each in "bcd")
        (self.folder / link).symlink_to(self.folder / "secret.wav")
        os.mkfifo(self.folder / pipe)
        (self.folder / folder).mkdir()
        before = len([*Path("/proc/self/fd").iterdir()])
        for name in (link, pipe, folder):
            self.assertIn("404", self.request(f"/{name}").splitlines()[0])
        self.assertEqual(len([*Path("/proc/self/fd").iterdir()]), before)

    def test_other_methods_are_refused(self) -> None:
        for method in ("POST", "PUT", "DELETE"):
            self.assertIn("405", self.request(f"/{NAME}", method))
        self.assertTrue((self.folder / NAME).exists())
