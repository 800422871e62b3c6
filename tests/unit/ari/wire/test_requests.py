"""The path and the query of a request."""

from __future__ import annotations

from urllib.parse import parse_qs, unquote

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from channel_aa.ari.wire.requests import Request

SEGMENTS = st.text(
    st.characters(exclude_categories=["Cs"]), min_size=1, max_size=30
).filter(lambda segment: segment not in {".", ".."})


class RequestTests(SynchronousTestCase):
    def test_id_cannot_lead_to_another_path(self) -> None:
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

    def test_query_is_quoted(self) -> None:
        request = Request(
            method="POST",
            path=("channels", "1", "play"),
            query={"media": "sound:a b+c&d=é", "lang": "en"},
        )
        self.assertEqual(
            request.uri,
            "channels/1/play?media=sound%3Aa%20b%2Bc%26d%3D%C3%A9&lang=en",
        )

    def test_request_is_immutable(self) -> None:
        request = Request(method="GET", path=("channels",))
        with self.assertRaises(AttributeError):
            request.method = "DELETE"  # type: ignore[misc] # the point of the test

    @given(st.lists(SEGMENTS, min_size=1, max_size=4))
    def test_quoted_path_can_be_decoded(self, path: list[str]) -> None:
        quoted = Request(method="GET", path=tuple(path)).quoted_path
        self.assertEqual([unquote(part) for part in quoted.split("/")], path)

    @given(st.dictionaries(SEGMENTS, SEGMENTS, min_size=1, max_size=4))
    def test_quoted_query_can_be_decoded(self, query: dict[str, str]) -> None:
        uri = Request(method="GET", path=("x",), query=query).uri
        read = parse_qs(uri.removeprefix("x?"), strict_parsing=True)
        self.assertEqual(read, {name: [value] for name, value in query.items()})
