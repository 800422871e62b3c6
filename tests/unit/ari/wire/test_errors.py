"""The errors of requests, and the decoding of responses."""

from __future__ import annotations

import json

import msgspec
from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from channel_aa.ari.wire.errors import (
    AriError,
    ConflictError,
    ForbiddenError,
    NotFoundError,
    ServerError,
    UnauthorizedError,
    decode_response,
    error_for,
    is_channel_gone,
)
from channel_aa.ari.wire.requests import Request
from channel_aa.interfaces import TelephonyError


class ErrorForTests(SynchronousTestCase):
    def test_each_status_has_an_error_class(self) -> None:
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

    def test_403_about_the_object_is_not_about_the_user(self) -> None:
        for message, kind in {
            "": UnauthorizedError,
            "Write access denied": UnauthorizedError,
            "Unsupported channel type": ForbiddenError,
        }.items():
            body = json.dumps({"message": message}).encode()
            self.assertIs(type(error_for("GET", "channels/1", 403, body)), kind)

    def test_error_is_a_telephony_error(self) -> None:
        self.assertIsInstance(error_for("GET", "channels/1", 404, b""), TelephonyError)

    def test_error_has_the_request_and_asterisks_message(self) -> None:
        body = b'{"message":"Channel not found"}'
        error = error_for("POST", "channels/1/answer", 404, body)
        self.assertEqual(str(error), "POST channels/1/answer: 404 Channel not found")
        self.assertEqual(
            (error.method, error.path, error.status, error.message),
            ("POST", "channels/1/answer", 404, "Channel not found"),
        )

    def test_error_without_a_response_has_no_status(self) -> None:
        error = AriError("GET", "channels", message="refused")
        self.assertIsNone(error.status)
        self.assertEqual(str(error), "GET channels: refused")

    def test_message_of_a_503_is_in_the_error_field(self) -> None:
        body = b'{"error":"Asterisk is not ready"}'
        self.assertEqual(
            error_for("GET", "x", 503, body).message, "Asterisk is not ready"
        )

    def test_body_without_json_is_the_message_cut_short(self) -> None:
        body = b"<html>Not Found</html>" + b" " * 10_000
        message = error_for("GET", "x", 404, body).message
        self.assertIn("Not Found", message)
        self.assertLessEqual(len(message), 200)

    def test_invalid_bodies_give_the_error(self) -> None:
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


class ChannelGoneTests(SynchronousTestCase):
    def test_only_404_and_409_mean_that_the_channel_is_gone(self) -> None:
        gone = [
            status
            for status in (400, 401, 403, 404, 409, 412, 500, 503)
            if is_channel_gone(error_for("POST", "channels/1/answer", status, b""))
        ]
        self.assertEqual(gone, [404, 409])
        self.assertFalse(is_channel_gone(AriError("POST", "x", message="lost")))
        self.assertFalse(is_channel_gone(None))


class _Named(msgspec.Struct):
    name: str


class DecodeResponseTests(SynchronousTestCase):
    request = Request(method="GET", path=("channels", "1"))

    def test_response_is_decoded_to_its_type(self) -> None:
        decoded = decode_response(self.request, b'{"name":"x"}', _Named)
        self.assertEqual(decoded, _Named("x"))

    def test_invalid_response_is_an_error_of_the_request(self) -> None:
        for body in (b"", b"[]", b'{"name":7}', b"[" * 5000, b'{"name":"\xff"}'):
            with self.subTest(body=body[:20]):
                with self.assertRaises(AriError) as caught:
                    decode_response(self.request, body, _Named, "channel")
                self.assertIn(
                    "the response is not a valid channel", str(caught.exception)
                )
                self.assertEqual(caught.exception.path, "channels/1")
                self.assertIsNone(caught.exception.status)
