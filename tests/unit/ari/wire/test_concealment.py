"""No form of the credentials remains in what a server sends."""

from __future__ import annotations

import html
import json
from base64 import b64encode, urlsafe_b64encode
from typing import TYPE_CHECKING
from urllib.parse import quote, quote_plus

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from channel_aa.ari.wire.concealment import CONCEALED, MAX_TEXT, concealer

if TYPE_CHECKING:
    from collections.abc import Callable

USER = "alice"


def base64(text: str) -> str:
    return b64encode(text.encode()).decode()


def basic(password: str) -> str:
    return base64(f"{USER}:{password}")


ENCODINGS: tuple[Callable[[str], str], ...] = (
    str,
    quote,
    quote_plus,
    lambda text: quote(text).lower() if text.isascii() else quote(text),
    lambda text: "".join(f"%{byte:02x}" for byte in text.encode()),
    lambda text: json.dumps(text)[1:-1],
    lambda text: json.dumps(text, ensure_ascii=False)[1:-1],
    lambda text: json.dumps(text)[1:-1].replace("/", "\\/"),
    lambda text: repr(text)[1:-1],
    html.escape,
    base64,
    lambda text: base64(text).rstrip("="),
    lambda text: quote(base64(text), safe=""),
    lambda text: base64(text).replace("/", "\\/"),
    lambda text: urlsafe_b64encode(text.encode()).decode(),
    basic,
    lambda text: f"Authorization: Basic {basic(text)}",
    lambda text: quote_plus(basic(text)),
    lambda text: urlsafe_b64encode(f"{USER}:{text}".encode()).decode(),
)
PRINTABLE = st.characters(exclude_categories=["C", "Z"], include_characters=" ")


class ConcealmentTests(SynchronousTestCase):
    @given(
        password=st.text(PRINTABLE, min_size=8, max_size=40),
        encode=st.sampled_from(ENCODINGS),
        count=st.integers(1, 3),
    )
    def test_no_encoding_of_the_password_remains(
        self, password: str, encode: Callable[[str], str], count: int
    ) -> None:
        conceal = concealer(USER, password)
        found = encode(password)
        if encode is ENCODINGS[3]:  # lower-case: only the encoding may be changed
            found = "".join(
                each if each in password else each.lower() for each in quote(password)
            )
        shown = conceal(" ".join(["begin", *[f"<{found}>"] * count, "end"]))
        self.assertNotIn(found, shown)
        self.assertEqual(shown.count(CONCEALED), count)
        self.assertTrue(shown.startswith("begin <"), shown)
        self.assertTrue(shown.endswith("> end"), shown)

    def test_other_texts_remain(self) -> None:
        conceal = concealer(USER, "correct-horse")
        for text in ("", "Channel not found", "Correct-Horse", f"{USER}: correct"):
            self.assertEqual(conceal(text), text)

    def test_empty_password_conceals_nothing_else(self) -> None:
        conceal = concealer(USER, "")
        self.assertEqual(conceal("Channel not found"), "Channel not found")
        self.assertEqual(conceal(basic("")), CONCEALED)

    def test_longest_text_that_is_kept(self) -> None:
        conceal = concealer(USER, "correct-horse")
        self.assertEqual(conceal("x" * MAX_TEXT), "x" * MAX_TEXT)
        shown = conceal("x" * (MAX_TEXT + 1))
        self.assertLess(len(shown), MAX_TEXT)
        self.assertGreater(len(shown), MAX_TEXT // 2)

    def test_cut_leaves_no_beginning_of_the_password(self) -> None:
        password = "correct-horse-battery"
        conceal = concealer(USER, password)
        for encode in ENCODINGS:
            found = encode(password)
            for cut in range(1, len(found)):
                text = "." * (MAX_TEXT - cut) + found
                self.assertEqual(conceal(text).strip("."), "", f"{found} {cut}")
                # Concealed passwords before it move the cut to the left.
                text = (f"{found} " * MAX_TEXT)[: MAX_TEXT + cut]
                shown = conceal(text).replace(CONCEALED, "").replace("Basic", "")
                self.assertNotIn(found.split()[-1][:6], shown)
