"""How a request is written, and what its failures are called."""

from __future__ import annotations

from urllib.parse import parse_qs, unquote

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from channel_aa.ari.wire.errors import (
    AriError,
    ConflictError,
    NotFoundError,
    ServerError,
    UnauthorizedError,
    error_for,
)
from channel_aa.ari.wire.requests import Request
from channel_aa.interfaces import TelephonyError

SEGMENTS = st.text(
    st.characters(exclude_categories=["Cs"]), min_size=1, max_size=30
).filter(lambda segment: segment not in {".", ".."})


class ErrorForTests(SynchronousTestCase):
    def test_each_status_has_its_class(self) -> None:
        expected = {
            400: AriError,
            401: UnauthorizedError,
            403: UnauthorizedError,
            404: NotFoundError,
            409: ConflictError,
            412: ConflictError,
            418: AriError,
            500: ServerError,
            503: ServerError,
            599: ServerError,
            302: AriError,
            999: AriError,
        }
        found = {
            status: type(error_for("GET", "channels/1", status, b""))
            for status in expected
        }
        self.assertEqual(found, expected)

    def test_an_error_is_one_of_telephony(self) -> None:
        self.assertIsInstance(error_for("GET", "channels/1", 404, b""), TelephonyError)

    def test_it_says_what_was_asked_and_what_asterisk_answered(self) -> None:
        body = b'{"message":"Channel not found"}'
        error = error_for("POST", "channels/1/answer", 404, body)
        self.assertEqual(str(error), "POST channels/1/answer: 404 Channel not found")
        self.assertEqual(
            (error.method, error.path, error.status, error.message),
            ("POST", "channels/1/answer", 404, "Channel not found"),
        )

    def test_an_error_without_an_answer_has_no_status(self) -> None:
        error = AriError("GET", "channels", message="refused")
        self.assertIsNone(error.status)
        self.assertEqual(str(error), "GET channels: refused")

    def test_the_message_of_a_503_stands_under_error(self) -> None:
        body = b'{"error":"Asterisk is not ready"}'
        self.assertEqual(
            error_for("GET", "x", 503, body).message, "Asterisk is not ready"
        )

    def test_a_body_that_is_no_json_is_the_message_itself_cut_short(self) -> None:
        body = b"<html>Not Found</html>" + b" " * 10_000
        message = error_for("GET", "x", 404, body).message
        self.assertIn("Not Found", message)
        self.assertLessEqual(len(message), 200)

    def test_a_body_that_is_hardly_a_body_still_gives_the_error(self) -> None:
        for body in (
            b"",
            b"\xff\xfe",
            b"[]",
            b"null",
            b'{"message":null}',
            b'{"message":{"deep":1}}',
            b'{"message":"\xff"}',
            b'{"extra":' + b"[" * 100_000,
        ):
            with self.subTest(body=body[:20]):
                self.assertIsInstance(error_for("GET", "x", 404, body), NotFoundError)

    @given(st.binary(max_size=200))
    def test_any_body_gives_the_error(self, body: bytes) -> None:
        self.assertIsInstance(error_for("GET", "x", 404, body), NotFoundError)


class RequestTests(SynchronousTestCase):
    def test_an_id_never_reaches_another_path(self) -> None:
        for channel_id, written in (
            ("1795328311.3", "1795328311.3"),
            ("a/b", "a%2Fb"),
            ("../applications", "..%2Fapplications"),
            ("%2e%2e", "%252e%252e"),
            ("two words", "two%20words"),
            ("a?b#c", "a%3Fb%23c"),
            ("zoë", "zo%C3%AB"),
            ("line\r\nbreak", "line%0D%0Abreak"),
        ):
            with self.subTest(id=channel_id):
                request = Request(method="GET", path=("channels", channel_id))
                self.assertEqual(request.quoted_path, f"channels/{written}")
                self.assertEqual(request.uri, f"channels/{written}")

    def test_segments_that_name_another_path_are_refused(self) -> None:
        for path in ((), ("",), ("channels", ""), ("channels", ".."), (".", "x")):
            with self.subTest(path=path), self.assertRaises(ValueError):
                Request(method="GET", path=path)

    def test_the_query_is_quoted(self) -> None:
        request = Request(
            method="POST",
            path=("channels", "1", "play"),
            query={"media": "sound:a b+c&d=é", "lang": "en"},
        )
        self.assertEqual(
            request.uri,
            "channels/1/play?media=sound%3Aa%20b%2Bc%26d%3D%C3%A9&lang=en",
        )

    def test_a_request_does_not_change(self) -> None:
        request = Request(method="GET", path=("channels",))
        with self.assertRaises(AttributeError):
            request.method = "DELETE"  # type: ignore[misc] # the point of the test

    @given(st.lists(SEGMENTS, min_size=1, max_size=4))
    def test_the_path_reads_back_as_its_segments(self, path: list[str]) -> None:
        quoted = Request(method="GET", path=tuple(path)).quoted_path
        self.assertEqual([unquote(part) for part in quoted.split("/")], path)

    @given(st.dictionaries(SEGMENTS, SEGMENTS, min_size=1, max_size=4))
    def test_the_query_reads_back_as_it_was(self, query: dict[str, str]) -> None:
        uri = Request(method="GET", path=("x",), query=query).uri
        read = parse_qs(uri.removeprefix("x?"), strict_parsing=True)
        self.assertEqual(read, {name: [value] for name, value in query.items()})
